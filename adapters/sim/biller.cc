#include "adapters/sim/biller.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "adapters/sandbox/answers.h"
#include "fmt/format.h"

namespace waystation::adapters::sim {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A payment id, as the adapter's contract has it.
bool IsReference(std::string_view reference) {
  constexpr size_t kMostDigits = 20;
  return IsDigits(reference) && reference.size() <= kMostDigits;
}

BillerAnswer Only(std::string_view code) {
  BillerAnswer answer;
  answer.code = code;
  return answer;
}

// The sandbox's references and vouchers follow from a payment id; so do these where the reference is one.
core::PaymentId IdOf(std::string_view reference) {
  uint64_t number = 0;
  const char* end = reference.data() + reference.size();
  const auto [parsed_to, error] = std::from_chars(reference.data(), end, number);
  if (error != std::errc() || parsed_to != end) number = sandbox::StableHash(reference);
  return core::PaymentId::FromNumber(number);
}

}  // namespace

BillerRules BillerRules::Mobile() {
  return {.reference_prefix = 'M',
          .customer_number_digits = 11,
          .least = core::Money::Fen(2'000),
          .most = core::Money::Fen(50'000)};
}

BillerRules BillerRules::Electricity() {
  return {.reference_prefix = 'E',
          .customer_number_digits = 10,
          .least = core::Money::Fen(100),
          .most = core::Money::Fen(500'000),
          .issues_voucher = true};
}

BillerRules BillerRules::Gas() {
  return {.reference_prefix = 'G',
          .customer_number_digits = 8,
          .least = core::Money::Fen(100),
          .most = core::Money::Fen(1'000'000),
          .keeps_bill = true};
}

BillerRules BillerRules::Water() {
  return {.reference_prefix = 'W',
          .customer_number_digits = 9,
          .least = core::Money::Fen(100),
          .most = core::Money::Fen(1'000'000),
          .keeps_bill = true};
}

bool BillerRules::HasAccount(std::string_view customer_number) const {
  return customer_number.size() == customer_number_digits && IsDigits(customer_number) &&
         !customer_number.ends_with("90");
}

BillerAnswer Biller::Inquire(std::string_view customer_number) {
  books_->NoteRequest(host_, "inquire", "", customer_number);
  BillerAnswer answer;
  answer.customer_number = customer_number;
  if (!rules_.HasAccount(customer_number)) {
    answer.code = kNoSuchAccount;
    return answer;
  }
  answer.code = kDone;
  answer.customer_name = sandbox::MaskedName(customer_number);
  if (rules_.keeps_bill) answer.owed = sandbox::AmountOwed(customer_number);
  return answer;
}

BillerAnswer Biller::Pay(std::string_view reference, std::string_view customer_number, core::Money amount,
                         bool refuse) {
  books_->NoteRequest(host_, "pay", reference, customer_number);
  if (!IsReference(reference)) return Only(kFormatError);
  if (const Entry* entry = books_->Find(host_, reference)) {
    switch (entry->state) {
      case EntryState::kApplied: return Describe(*entry, kDone);
      case EntryState::kDeclined: return Describe(*entry, entry->code);
      case EntryState::kTakenBack:
      case EntryState::kBarred: return Describe(*entry, kTakenBackAlready);
    }
  }
  Entry entry;
  entry.customer_number = customer_number;
  entry.amount = amount;
  entry.at = clock_->Now();
  entry.date = DayInChina(entry.at);
  const bool right_amount = rules_.keeps_bill ? amount == sandbox::AmountOwed(customer_number)
                                              : amount >= rules_.least && amount <= rules_.most;
  if (!rules_.HasAccount(customer_number)) {
    entry.code = kNoSuchAccount;
  } else if (!right_amount) {
    entry.code = kWrongAmount;
  } else if (refuse) {
    entry.code = kRefused;
  }
  if (!entry.code.empty()) {
    books_->NoteDeclined(host_, reference, entry);
    return Describe(entry, entry.code);
  }
  entry.biller_reference = sandbox::BillerReference(rules_.reference_prefix, IdOf(reference));
  if (rules_.issues_voucher) entry.voucher = sandbox::Voucher(customer_number, IdOf(reference));
  books_->NoteApplied(host_, reference, entry);
  return Describe(entry, kDone);
}

BillerAnswer Biller::Query(std::string_view reference) {
  books_->NoteRequest(host_, "query", reference);
  if (!IsReference(reference)) return Only(kFormatError);
  const Entry* entry = books_->Find(host_, reference);
  if (entry == nullptr || entry->state == EntryState::kBarred) return Only(kNoSuchPayment);
  BillerAnswer answer = Describe(*entry, kDone);
  switch (entry->state) {
    case EntryState::kApplied: answer.original_code = kDone; break;
    case EntryState::kDeclined: answer.original_code = entry->code; break;
    case EntryState::kTakenBack:
    case EntryState::kBarred: answer.original_code = kTakenBackAlready; break;
  }
  return answer;
}

BillerAnswer Biller::Reverse(std::string_view reference) {
  books_->NoteRequest(host_, "reverse", reference);
  if (!IsReference(reference)) return Only(kFormatError);
  const Entry* entry = books_->Find(host_, reference);
  if (entry != nullptr && entry->state == EntryState::kApplied) return TakeBack(reference, *entry);
  if (entry == nullptr) {
    const core::TimePoint now = clock_->Now();
    books_->NoteBarred(host_, reference, now, DayInChina(now));
  }
  return Only(kDone);
}

BillerAnswer Biller::Cancel(std::string_view reference) {
  books_->NoteRequest(host_, "cancel", reference);
  if (!IsReference(reference)) return Only(kFormatError);
  const Entry* entry = books_->Find(host_, reference);
  if (entry != nullptr && entry->state == EntryState::kApplied) return TakeBack(reference, *entry);
  return Only(entry != nullptr && entry->state == EntryState::kTakenBack ? kDone : kNoSuchPayment);
}

BillerAnswer Biller::Probe() {
  books_->NoteRequest(host_, "probe", "");
  return Only(kDone);
}

void Biller::NoteUnheard(std::string_view operation, std::string_view reference) {
  books_->NoteRequest(host_, operation, reference);
}

std::string Biller::CustomerOf(std::string_view reference) const {
  const Entry* entry = books_->Find(host_, reference);
  return entry == nullptr ? "" : entry->customer_number;
}

BillerAnswer Biller::TakeBack(std::string_view reference, const Entry& entry) {
  // A voucher that was keyed into the meter cannot be given back.
  if (entry.customer_number.ends_with("97")) return Describe(entry, kUsedUp);
  BillerAnswer answer = Describe(entry, kDone);
  const core::TimePoint now = clock_->Now();
  books_->NoteTakenBack(host_, reference, now, DayInChina(now));
  return answer;
}

BillerAnswer Biller::Describe(const Entry& entry, std::string_view code) const {
  BillerAnswer answer;
  answer.code = code;
  answer.customer_number = entry.customer_number;
  answer.amount = entry.amount;
  if (entry.state == EntryState::kApplied) {
    answer.customer_name = sandbox::MaskedName(entry.customer_number);
    answer.biller_reference = entry.biller_reference;
    answer.voucher = entry.voucher;
  }
  return answer;
}

std::string CsvStatement(const Biller& biller, core::BusinessDate date, std::string_view head) {
  std::string text = fmt::format("{}\n", head);
  uint64_t count = 0;
  int64_t total = 0;
  biller.books().ForEach(biller.host(), date, [&](const std::string& reference, const Entry& entry) {
    const bool reversal = entry.state == EntryState::kTakenBack && entry.date < date;
    if (entry.state != EntryState::kApplied && !reversal) return;
    const int64_t amount = reversal ? -entry.amount.fen() : entry.amount.fen();
    const core::TimePoint at = reversal ? entry.taken_back_at : entry.at;
    ++count;
    total += amount;
    text += fmt::format("{},{},{},{},{}\n", reference, entry.biller_reference, entry.customer_number, amount,
                        at.time_since_epoch().count());
  });
  return text + fmt::format("total,{},,{},\n", count, total);
}

core::BusinessDate DayInChina(core::TimePoint at) {
  return core::BusinessDate::FromDays(std::chrono::floor<std::chrono::days>(at + std::chrono::hours(8)));
}

}  // namespace waystation::adapters::sim
