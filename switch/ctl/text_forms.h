#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "waystation/v1/account_service.pb.h"
#include "waystation/v1/admin_service.pb.h"
#include "waystation/v1/operations_service.pb.h"
#include "waystation/v1/payment.pb.h"

// How single values of the API are written for people and for programs.
namespace waystation::ctl {

// "123.45", in yuan.
std::string Yuan(int64_t amount_fen);

// "2026-11-21 16:05:06.123" in China time (UTC+8), which the reader must be told; "-" for 0. A time outside the years
// 1970 to 9999 is given as its number of milliseconds.
std::string ChinaTime(int64_t at_ms);

// The same with " UTC+8" behind it; empty for 0.
std::string ChinaTimeWithZone(int64_t at_ms);

// The time as seen from `now_ms`, in the largest unit that says enough: "in 12s", "in 3h", "40m ago", "now"; "-" for 0.
std::string TimeFrom(int64_t now_ms, int64_t at_ms);

// The beginning of the text, made Printable, that fits into so many terminal columns; "..." stands for what is left
// out.
std::string Shortened(std::string_view text, size_t columns);

// Enum values without the prefix of their type ("SUCCEEDED"); a value of a newer switch is given as its number.
std::string Word(v1::PaymentState state);
std::string Word(v1::DeclineReason reason);
std::string Word(v1::PaymentOwner owner);
std::string Word(v1::NextAction action);
std::string Word(v1::Verdict verdict);
std::string Word(v1::StationStatus status);
std::string Word(v1::BillerStatus status);
std::string Word(v1::BreakerState state);
std::string Word(v1::InquiryRule rule);
std::string Word(v1::AmountRule rule);
std::string Word(v1::CancelRule rule);
std::string Word(v1::LogLevel level);

// Proto JSON on one line, with '\n': every field present, names in lowerCamelCase, 64-bit numbers as strings.
std::string JsonLine(const google::protobuf::Message& message);

}  // namespace waystation::ctl
