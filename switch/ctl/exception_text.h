#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "waystation/v1/payment.pb.h"

// Open payments, and what is to be done about them, as people read it.
namespace waystation::ctl {

// A verdict as it is typed: "charge", "release", "write-off"; null for what is none.
std::optional<v1::Verdict> VerdictFromWord(const std::string& word);
// The same the other way; "?" for one of a newer switch.
std::string TypedWord(v1::Verdict verdict);

// A row a payment with its times as seen from `now_ms`, and below each row its cause, shortened, and what is proposed.
// Within 100 columns, as long as ids and amounts are of the usual lengths.
std::string ExceptionTable(const std::vector<v1::Payment>& payments, int64_t now_ms);

// Who does what next about the payment, with the commands as one would type them.
std::string WhatToDo(const v1::Payment& payment);

}  // namespace waystation::ctl
