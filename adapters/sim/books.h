#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "switch/core/business_date.h"
#include "switch/core/money.h"

namespace waystation::adapters::sim {

// What became of a reference at a biller.
enum class EntryState {
  kApplied,
  kDeclined,
  kTakenBack,  // was applied, and is not any more
  kBarred,     // taken back before it was heard of: never takes effect
};

// "applied", "declined", "taken_back", "barred"; the words of the file.
std::string_view ToText(EntryState state);

// One payment in a biller's books.
struct Entry {
  std::string customer_number;
  core::Money amount;
  EntryState state = EntryState::kApplied;
  std::string code;  // of a decline
  std::string biller_reference;
  std::string voucher;
  core::TimePoint at;             // when it was applied or declined
  core::BusinessDate date;        // the biller's day that `at` lies in
  core::TimePoint taken_back_at;  // when it was taken back or barred, and on which day
  core::BusinessDate taken_back_date;
  uint64_t times_applied = 0;  // more than 1 would be a fault of the biller: one reference has one effect
};

struct BookCounts {
  uint64_t requests = 0;
  uint64_t applied = 0;  // and not taken back
  uint64_t declined = 0;
  uint64_t taken_back = 0;
  uint64_t barred = 0;
};

// kRead: the file is left alone, whatever another process writes to it meanwhile; nothing is noted.
enum class BooksUse { kKeep, kRead };

// The books of all billers that one billersim plays: what a test holds the switch to. Kept in a file of its own, a line
// of JSON an event, written to the file before the call returns, so that it outlives the process; a line that a kill
// cut short is dropped when it is opened again. billersim promises nothing about the power going.
//
// Threads: one. Errors: a file that cannot be written stops the process, as a biller that loses its books would.
// Limits: every reference ever seen stays in memory. A file has one that keeps it at a time.
class Books {
 public:
  // Reads what the file has; kKeep makes it where it is missing. InvalidArgument names the line that it does not
  // understand. Unavailable: it cannot be read, or (kKeep) another process, or other Books of this one, keeps it.
  static absl::StatusOr<std::unique_ptr<Books>> Open(const std::string& path, BooksUse use);
  ~Books();
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  // A request came in, whatever becomes of it. `operation` is one of the words of Faults; empty: none of them.
  // `customer_number` and `reference`: empty where it has none.
  void NoteRequest(std::string_view host, std::string_view operation, std::string_view reference,
                   std::string_view customer_number = "");
  // Replaces what there was for the reference.
  void NoteApplied(std::string_view host, std::string_view reference, Entry entry);
  void NoteDeclined(std::string_view host, std::string_view reference, Entry entry);
  void NoteTakenBack(std::string_view host, std::string_view reference, core::TimePoint at, core::BusinessDate date);
  void NoteBarred(std::string_view host, std::string_view reference, core::TimePoint at, core::BusinessDate date);

  // Null when the host never decided anything about `reference`.
  const Entry* Find(std::string_view host, std::string_view reference) const;
  // How often the host was asked to pay it: more than once where the switch repeats a payment.
  uint64_t TimesAsked(std::string_view host, std::string_view reference) const;
  BookCounts Counts(std::string_view host) const;
  // What the day's file of `host` is made from, by reference: every entry of `date` as it stood at the end of that day,
  // and, as kTakenBack, every one of an earlier day that was taken back on `date`.
  void ForEach(std::string_view host, core::BusinessDate date,
               const std::function<void(const std::string& reference, const Entry& entry)>& visit) const;

 private:
  struct HostBooks {
    std::unordered_map<std::string, Entry> entries;
    std::unordered_map<std::string, uint64_t> asked;  // to pay
    uint64_t requests = 0;
  };

  Books(std::string path, int file) : path_(std::move(path)), file_(file) {}
  absl::Status Replay(std::string_view text);
  void TakeBack(std::string_view host, std::string_view reference, EntryState state, core::TimePoint at,
                core::BusinessDate date);
  void Append(std::string line);
  HostBooks& Of(std::string_view host);

  const std::string path_;
  const int file_;
  std::map<std::string, HostBooks, std::less<>> hosts_;
};

}  // namespace waystation::adapters::sim
