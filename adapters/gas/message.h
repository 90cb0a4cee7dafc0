#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "switch/core/money.h"

// The messages of the gas company's host, both ways: XML in GBK. README.md has their elements.
namespace waystation::adapters::gas {

struct RequestMessage {
  std::string_view service;  // inquire, pay, query, echo
  std::string partner;
  std::string serial;
  std::string time;  // yyyymmddHHMMSS in China
  // Of the body: element and text.
  std::vector<std::pair<std::string_view, std::string>> body;
};

// In GBK, as it goes out. InvalidArgument where a text has a character that GBK lacks.
absl::StatusOr<std::string> Encode(const RequestMessage& message);

// What has become of a payment, as the host says it.
enum class PaymentState { kProcessing, kPaid, kRefused, kTakenBack };

// An answer. Texts are UTF-8 and of bounded length; what the host leaves out is empty.
struct AnswerMessage {
  std::string service;
  std::string serial;
  std::string code;
  std::string order;
  std::string customer;
  std::optional<PaymentState> state;
  std::string refusal;  // the code that the payment was refused with
  std::string reference;
  std::string name;  // masked
  std::optional<core::Money> amount;
  std::optional<core::Money> owed;
};

// From GBK, as it comes in. InvalidArgument, naming the fault, for anything but one such document, in which each
// element that is known comes once at most and has its form; elements that are not known are skipped.
absl::StatusOr<AnswerMessage> DecodeAnswer(std::string_view gbk);

}  // namespace waystation::adapters::gas
