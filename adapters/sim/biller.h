#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "adapters/sim/books.h"
#include "switch/core/clock.h"
#include "switch/core/money.h"

namespace waystation::adapters::sim {

// What a biller answers with; each host says it in its own protocol. The numbers are the sandbox's.
inline constexpr std::string_view kDone = "00";
inline constexpr std::string_view kRefused = "05";  // declined by script
inline constexpr std::string_view kWrongAmount = "13";
inline constexpr std::string_view kNoSuchAccount = "14";
inline constexpr std::string_view kTakenBackAlready = "17";
inline constexpr std::string_view kNoSuchPayment = "25";
inline constexpr std::string_view kFormatError = "30";
inline constexpr std::string_view kUsedUp = "61";

// What accounts a biller has and what they owe: pure functions of the customer number, the sandbox's own (see
// adapters/sandbox/answers.h), so that both agree about a customer.
struct BillerRules {
  char reference_prefix = 'E';
  size_t customer_number_digits = 10;
  core::Money least;
  core::Money most;
  bool keeps_bill = false;  // a payment is of exactly what is owed
  bool issues_voucher = false;

  static BillerRules Mobile();       // 11 digits, 20.00 .. 500.00 yuan
  static BillerRules Electricity();  // 10 digits, 1.00 .. 5,000.00 yuan, voucher
  static BillerRules Gas();          // 8 digits, what is owed
  static BillerRules Water();        // 9 digits, what is owed

  // Digits of the right number; one that ends in 90 has no account.
  bool HasAccount(std::string_view customer_number) const;
};

struct BillerAnswer {
  std::string code;              // one of the codes above
  std::string original_code;     // Query that found the payment (code 00): how the payment itself was answered
  std::string customer_number;   // of the payment, where one was found
  std::string customer_name;     // masked
  core::Money owed;              // Inquire
  core::Money amount;            // of the payment
  std::string biller_reference;  // of a payment that took effect
  std::string voucher;
};

// One biller behind its protocol: decides, and keeps the books. The same reference has one effect however often it
// comes; taking back what was never heard of is remembered, and the payment refused when it comes after all. A
// reference that is not 1 to 20 digits is a format error, and nothing is decided about it.
//
// Threads: that of the books. `books` and `clock` outlive it.
class Biller {
 public:
  Biller(std::string host, BillerRules rules, Books* books, const core::Clock* clock)
      : host_(std::move(host)), rules_(rules), books_(books), clock_(clock) {}

  const std::string& host() const { return host_; }
  const BillerRules& rules() const { return rules_; }
  const Books& books() const { return *books_; }

  BillerAnswer Inquire(std::string_view customer_number);
  // `refuse`: decline a payment that would have taken effect; one that has it already keeps it. `reference` is the
  // switch's payment id, in decimal digits.
  BillerAnswer Pay(std::string_view reference, std::string_view customer_number, core::Money amount, bool refuse);
  BillerAnswer Query(std::string_view reference);
  // Reversal: what was never heard of counts as taken back (00), and is barred.
  BillerAnswer Reverse(std::string_view reference);
  // Cancel by the station: what was never heard of is 25. A customer number that ends in 97 has used it up: 61.
  BillerAnswer Cancel(std::string_view reference);
  // Whether it answers.
  BillerAnswer Probe();
  // A request that has no effect, and which the biller does not get to decide: lost, refused by script, not understood.
  // Only the books know of it.
  void NoteUnheard(std::string_view operation, std::string_view reference);

  // Empty when the books do not know it.
  std::string CustomerOf(std::string_view reference) const;

 private:
  BillerAnswer Describe(const Entry& entry, std::string_view code) const;
  BillerAnswer TakeBack(std::string_view reference, const Entry& entry);

  const std::string host_;
  const BillerRules rules_;
  Books* const books_;
  const core::Clock* const clock_;
};

// The day's file of a biller that sends comma-separated values: `head`, a line for each payment of that day that stood
// at its end (reference, its own reference, customer number, fen, time in ms), the same with a negative amount for each
// that was taken back that day and is of a day before, and "total,LINES,,FEN,".
std::string CsvStatement(const Biller& biller, core::BusinessDate date, std::string_view head);

// The day in China that `at` lies in.
core::BusinessDate DayInChina(core::TimePoint at);

}  // namespace waystation::adapters::sim
