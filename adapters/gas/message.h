#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/order_answer.h"

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

// An answer: what it answers, and what it says. Texts are UTF-8 and of bounded length; what the host leaves out is
// empty.
struct AnswerMessage {
  std::string service;
  std::string serial;
  std::string customer;
  OrderAnswer order;
};

// From GBK, as it comes in. InvalidArgument, naming the fault, for anything but one such document, in which each
// element that is known comes once at most and has its form; elements that are not known are skipped. Takes at most
// 64 times as much memory as the document has bytes, and 128 KB.
absl::StatusOr<AnswerMessage> DecodeAnswer(std::string_view gbk);

}  // namespace waystation::adapters::gas
