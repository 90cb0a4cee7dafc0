#pragma once

#include <string>
#include <variant>

#include "adapters/biller_adapter.h"
#include "fmt/format.h"
#include "switch/core/money.h"

// Outcomes in words, to compare them and to show them.
namespace waystation::adapters {

// What became of it, and a decline's code: "approved", "declined 14", "never received", ...
template <typename Outcome>
std::string Kind(const Outcome& outcome) {
  struct Words {
    std::string operator()(const InquiryFound&) const { return "found"; }
    std::string operator()(const Approved&) const { return "approved"; }
    std::string operator()(const Declined& declined) const { return "declined " + declined.biller_code; }
    std::string operator()(const NotSent&) const { return "not sent"; }
    std::string operator()(const Unknown&) const { return "unknown"; }
    std::string operator()(const NeverReceived&) const { return "never received"; }
    std::string operator()(const TakenBack&) const { return "taken back"; }
  };
  return std::visit(Words(), outcome);
}

// Everything that it says.
template <typename Outcome>
std::string Text(const Outcome& outcome) {
  struct Details {
    std::string operator()(const InquiryFound& f) const {
      return fmt::format(" {} owes {}", f.customer_name, core::FormatYuan(f.owed));
    }
    std::string operator()(const Approved& a) const {
      return fmt::format(" reference {} voucher {} name {}", a.biller_reference, a.voucher, a.customer_name);
    }
    std::string operator()(const Declined& declined) const { return ": " + declined.text; }
    std::string operator()(const NotSent& not_sent) const { return ": " + not_sent.cause; }
    std::string operator()(const Unknown& unknown) const { return ": " + unknown.cause; }
    std::string operator()(const NeverReceived&) const { return ""; }
    std::string operator()(const TakenBack&) const { return ""; }
  };
  return Kind(outcome) + std::visit(Details(), outcome);
}

}  // namespace waystation::adapters
