#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "switch/core/ids.h"
#include "switch/core/money.h"

// What the sandbox makes up: pure functions of the request, the same in every build and after every restart.
namespace waystation::adapters::sandbox {

// A bijection on 64 bits that spreads its input over all of them (the finalizer of MurmurHash3).
uint64_t Mix(uint64_t value);
// FNV-1a over the bytes of `text`, then Mix.
uint64_t StableHash(std::string_view text);

// 张*, 李**: a surname by the customer number, the rest masked. UTF-8.
std::string MaskedName(std::string_view customer_number);
// 1.00 to 300.00 yuan, by the customer number.
core::Money AmountOwed(std::string_view customer_number);
// `prefix` and 20 digits; no two payments share one.
std::string BillerReference(char prefix, core::PaymentId payment_id);
// 20 digits, by customer number and payment.
std::string Voucher(std::string_view customer_number, core::PaymentId payment_id);

// How long an answer about this customer takes: over all customer numbers a log-normal distribution with this median
// and this 99th percentile, at most a minute. Both the same: always that. `p99` is not below `median`, which is above 0
// where they differ.
std::chrono::microseconds AnswerTime(std::string_view customer_number, std::chrono::milliseconds median,
                                     std::chrono::milliseconds p99);

}  // namespace waystation::adapters::sandbox
