#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/settings.h"

namespace waystation::adapters::conformance {

// A customer number, and what a person should know of it: "cut in the middle of the answer".
struct Customer {
  std::string number;
  std::string remark;
};

// What a target does with which customer number, and what its adapter is told to show what no customer number shows.
struct Scenario {
  std::vector<Customer> good;               // all goes well; at least one
  std::vector<Customer> no_account;         // the biller knows no such customer
  std::vector<Customer> declined;           // the biller declines the payment
  std::vector<Customer> not_sent;           // the payment certainly does not leave
  std::vector<Customer> unknown_effect;     // no answer that settles it; it took effect
  std::vector<Customer> unknown_no_effect;  // no answer that settles it; it took none
  std::vector<Customer> silent;             // Pay gets no answer
  std::vector<Customer> late;               // Pay gets no answer, and an approval after its deadline
  std::vector<Customer> cancel_refused;     // paid, and the biller refuses the cancel
  Settings slow;                            // with these no operation is answered within 2 s; empty: there are none
  Settings unreachable;                     // with these nothing reaches the biller; empty: there are none
  // The target keeps no books: what it took back or never saw, it does not remember.
  bool stateless = false;
  // The adapter of the registry that it is for, and that one's settings; empty: whoever runs the checks says so.
  std::string adapter;
  Settings settings;
  // The checks that say nothing of the target, for who wants to know when there is one more of them.
  std::set<std::string, std::less<>> not_applicable;
};

// Reads the text form, a statement a line, `#` starts a comment:
//   good CUSTOMER [remark], and the same for the other lists
//   slow NAME=VALUE, unreachable NAME=VALUE: one setting each
//   stateless
//   adapter NAME, setting NAME=VALUE, not_applicable CHECK
// InvalidArgument: "line 3: ...".
absl::StatusOr<Scenario> ParseScenario(std::string_view text);

}  // namespace waystation::adapters::conformance
