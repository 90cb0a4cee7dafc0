#include "adapters/sandbox/answers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "fmt/compile.h"
#include "fmt/format.h"

namespace waystation::adapters::sandbox {
namespace {

constexpr std::array<std::string_view, 16> kSurnames = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄",
                                                        "周", "吴", "徐", "孙", "胡", "朱", "高", "林"};
constexpr uint64_t kTenDigits = 10'000'000'000;
// Of the standard normal distribution.
constexpr double kNormalP99 = 2.3263478740408408;
constexpr std::chrono::minutes kLongestAnswerTime{1};

// (0, 1).
double Unit(uint64_t hash) {
  return (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;
}

}  // namespace

uint64_t Mix(uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccd;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53;
  value ^= value >> 33;
  return value;
}

uint64_t StableHash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return Mix(hash);
}

std::string MaskedName(std::string_view customer_number) {
  const uint64_t hash = StableHash(customer_number);
  const std::string_view given_name = (hash >> 8) % 3 == 0 ? "*" : "**";
  return fmt::format(FMT_COMPILE("{}{}"), kSurnames[hash % kSurnames.size()], given_name);
}

core::Money AmountOwed(std::string_view customer_number) {
  return core::Money::Fen(static_cast<int64_t>(100 + StableHash(customer_number) % 29'901));
}

std::string BillerReference(char prefix, core::PaymentId payment_id) {
  fmt::memory_buffer text;
  fmt::format_to(fmt::appender(text), FMT_COMPILE("{}{:020}"), prefix, Mix(payment_id.number()));
  return fmt::to_string(text);
}

std::string Voucher(std::string_view customer_number, core::PaymentId payment_id) {
  const uint64_t first = Mix(StableHash(customer_number) ^ payment_id.number());
  return fmt::format("{:010}{:010}", first % kTenDigits, Mix(first + 1) % kTenDigits);
}

std::chrono::microseconds AnswerTime(std::string_view customer_number, std::chrono::milliseconds median,
                                     std::chrono::milliseconds p99) {
  if (p99 == median) return median;
  const uint64_t hash = StableHash(customer_number);
  // Box and Muller's transform of two even ones makes a normal one.
  const double normal = std::sqrt(-2 * std::log(Unit(hash))) * std::cos(2 * std::numbers::pi * Unit(Mix(hash + 1)));
  const double sigma = std::log(static_cast<double>(p99.count()) / static_cast<double>(median.count())) / kNormalP99;
  const double us = static_cast<double>(std::chrono::microseconds(median).count()) * std::exp(sigma * normal);
  const auto longest = static_cast<double>(std::chrono::microseconds(kLongestAnswerTime).count());
  return std::chrono::microseconds(std::llround(std::min(us, longest)));
}

}  // namespace waystation::adapters::sandbox
