#include "adapters/sim/books.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::adapters::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kRequest = "request";
constexpr std::string_view kPay = "pay";

std::optional<EntryState> ParseState(std::string_view text) {
  for (const EntryState state :
       {EntryState::kApplied, EntryState::kDeclined, EntryState::kTakenBack, EntryState::kBarred}) {
    if (ToText(state) == text) return state;
  }
  return std::nullopt;
}

json::object Event(std::string_view host, std::string_view event, std::string_view reference) {
  json::object line;
  line["host"] = json::string_view(host.data(), host.size());
  line["event"] = json::string_view(event.data(), event.size());
  line["reference"] = json::string_view(reference.data(), reference.size());
  return line;
}

std::string Decision(std::string_view host, std::string_view reference, const Entry& entry) {
  json::object line = Event(host, ToText(entry.state), reference);
  line["at_ms"] = entry.at.time_since_epoch().count();
  line["date"] = entry.date.number();
  line["customer_number"] = entry.customer_number;
  line["amount_fen"] = entry.amount.fen();
  if (!entry.code.empty()) line["code"] = entry.code;
  if (!entry.biller_reference.empty()) line["biller_reference"] = entry.biller_reference;
  if (!entry.voucher.empty()) line["voucher"] = entry.voucher;
  return json::serialize(line);
}

std::string TextOf(const json::object& line, std::string_view key) {
  const json::value* value = line.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

int64_t NumberOf(const json::object& line, std::string_view key) {
  const json::value* value = line.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

core::TimePoint TimeOf(const json::object& line) {
  return core::TimePoint(std::chrono::milliseconds(NumberOf(line, "at_ms")));
}

core::BusinessDate DateOf(const json::object& line) {
  return core::BusinessDate::FromNumber(static_cast<uint32_t>(NumberOf(line, "date"))).value_or(core::BusinessDate());
}

Entry EntryOf(const json::object& line) {
  Entry entry;
  entry.customer_number = TextOf(line, "customer_number");
  entry.amount = core::Money::Fen(NumberOf(line, "amount_fen"));
  entry.code = TextOf(line, "code");
  entry.biller_reference = TextOf(line, "biller_reference");
  entry.voucher = TextOf(line, "voucher");
  entry.at = TimeOf(line);
  entry.date = DateOf(line);
  return entry;
}

std::string Errno() {
  return std::strerror(errno);
}

absl::StatusOr<std::string> ReadAll(int file, const std::string& path) {
  std::string text;
  char buffer[65'536];
  for (;;) {
    const ssize_t count = ::read(file, buffer, sizeof(buffer));
    if (count < 0) return absl::UnavailableError(fmt::format("books {}: cannot be read: {}", path, Errno()));
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace

std::string_view ToText(EntryState state) {
  switch (state) {
    case EntryState::kApplied: return "applied";
    case EntryState::kDeclined: return "declined";
    case EntryState::kTakenBack: return "taken_back";
    case EntryState::kBarred: return "barred";
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Books>> Books::Open(const std::string& path, BooksUse use) {
  const bool keep = use == BooksUse::kKeep;
  const int file = ::open(path.c_str(), (keep ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY) | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::UnavailableError(
        fmt::format("books {}: cannot be opened: {}; expected a file in a folder that exists", path, Errno()));
  }
  std::unique_ptr<Books> books(new Books(path, file));
  if (keep && ::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return absl::UnavailableError(fmt::format(
        "books {}: another billersim keeps them ({}); expected one at a time: two would pay twice. Stop it, or name "
        "another file",
        path, Errno()));
  }
  absl::StatusOr<std::string> text = ReadAll(file, path);
  if (!text.ok()) return text.status();
  const size_t whole = text->rfind('\n') == std::string::npos ? 0 : text->rfind('\n') + 1;
  if (keep && whole < text->size() && ::ftruncate(file, static_cast<off_t>(whole)) != 0) {
    return absl::UnavailableError(fmt::format("books {}: its last, broken line cannot be cut off: {}", path, Errno()));
  }
  if (absl::Status status = books->Replay(std::string_view(*text).substr(0, whole)); !status.ok()) return status;
  return books;
}

Books::~Books() {
  ::close(file_);
}

absl::Status Books::Replay(std::string_view text) {
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
    if (error || !value.is_object()) {
      return absl::InvalidArgumentError(fmt::format("books {}: line {} is not a JSON object", path_, number));
    }
    const json::object& object = value.get_object();
    const std::string host = TextOf(object, "host");
    const std::string event = TextOf(object, "event");
    const std::string reference = TextOf(object, "reference");
    HostBooks& books = Of(host);
    if (event == kRequest) {
      ++books.requests;
      if (TextOf(object, "operation") == kPay) ++books.asked[reference];
      continue;
    }
    const std::optional<EntryState> state = ParseState(event);
    if (!state) {
      return absl::InvalidArgumentError(
          fmt::format("books {}: line {}: event \"{}\" is not known; expected request, applied, declined, taken_back "
                      "or barred",
                      path_, number, event));
    }
    Entry& entry = books.entries[reference];
    const uint64_t times_applied = entry.times_applied + (*state == EntryState::kApplied ? 1 : 0);
    if (*state == EntryState::kApplied || *state == EntryState::kDeclined) {
      entry = EntryOf(object);
    } else {
      entry.taken_back_at = TimeOf(object);
      entry.taken_back_date = DateOf(object);
    }
    entry.state = *state;
    entry.times_applied = times_applied;
  }
  return absl::OkStatus();
}

void Books::NoteRequest(std::string_view host, std::string_view operation, std::string_view reference,
                        std::string_view customer_number) {
  HostBooks& books = Of(host);
  ++books.requests;
  if (operation == kPay) ++books.asked[std::string(reference)];
  json::object line = Event(host, kRequest, reference);
  line["operation"] = json::string_view(operation.data(), operation.size());
  if (!customer_number.empty()) {
    line["customer_number"] = json::string_view(customer_number.data(), customer_number.size());
  }
  Append(json::serialize(line));
}

void Books::NoteApplied(std::string_view host, std::string_view reference, Entry entry) {
  Entry& kept = Of(host).entries[std::string(reference)];
  entry.state = EntryState::kApplied;
  entry.times_applied = kept.times_applied + 1;
  kept = std::move(entry);
  Append(Decision(host, reference, kept));
}

void Books::NoteDeclined(std::string_view host, std::string_view reference, Entry entry) {
  Entry& kept = Of(host).entries[std::string(reference)];
  entry.state = EntryState::kDeclined;
  entry.times_applied = kept.times_applied;
  kept = std::move(entry);
  Append(Decision(host, reference, kept));
}

void Books::NoteTakenBack(std::string_view host, std::string_view reference, core::TimePoint at,
                          core::BusinessDate date) {
  TakeBack(host, reference, EntryState::kTakenBack, at, date);
}

void Books::NoteBarred(std::string_view host, std::string_view reference, core::TimePoint at, core::BusinessDate date) {
  TakeBack(host, reference, EntryState::kBarred, at, date);
}

void Books::TakeBack(std::string_view host, std::string_view reference, EntryState state, core::TimePoint at,
                     core::BusinessDate date) {
  Entry& entry = Of(host).entries[std::string(reference)];
  entry.state = state;
  entry.taken_back_at = at;
  entry.taken_back_date = date;
  json::object line = Event(host, ToText(state), reference);
  line["at_ms"] = at.time_since_epoch().count();
  line["date"] = date.number();
  Append(json::serialize(line));
}

uint64_t Books::TimesAsked(std::string_view host, std::string_view reference) const {
  const auto books = hosts_.find(host);
  if (books == hosts_.end()) return 0;
  const auto found = books->second.asked.find(std::string(reference));
  return found == books->second.asked.end() ? 0 : found->second;
}

const Entry* Books::Find(std::string_view host, std::string_view reference) const {
  const auto books = hosts_.find(host);
  if (books == hosts_.end()) return nullptr;
  const auto found = books->second.entries.find(std::string(reference));
  return found == books->second.entries.end() ? nullptr : &found->second;
}

BookCounts Books::Counts(std::string_view host) const {
  BookCounts counts;
  const auto books = hosts_.find(host);
  if (books == hosts_.end()) return counts;
  counts.requests = books->second.requests;
  for (const auto& [reference, entry] : books->second.entries) {
    switch (entry.state) {
      case EntryState::kApplied: ++counts.applied; break;
      case EntryState::kDeclined: ++counts.declined; break;
      case EntryState::kTakenBack: ++counts.taken_back; break;
      case EntryState::kBarred: ++counts.barred; break;
    }
  }
  return counts;
}

void Books::ForEach(std::string_view host, core::BusinessDate date,
                    const std::function<void(const std::string&, const Entry&)>& visit) const {
  const auto books = hosts_.find(host);
  if (books == hosts_.end()) return;
  std::vector<std::pair<std::string, Entry>> rows;
  for (const auto& [reference, entry] : books->second.entries) {
    const bool taken_back = entry.state == EntryState::kTakenBack;
    if (entry.date == date) {
      rows.emplace_back(reference, entry);
      if (taken_back && entry.taken_back_date > date) rows.back().second.state = EntryState::kApplied;
    } else if (taken_back && entry.taken_back_date == date) {
      rows.emplace_back(reference, entry);
    }
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [reference, entry] : rows) visit(reference, entry);
}

void Books::Append(std::string line) {
  line += '\n';
  const ssize_t written = ::write(file_, line.data(), line.size());
  WS_CHECK(written == static_cast<ssize_t>(line.size()),
           fmt::format("books {}: a line cannot be written: {}; is the disk full?", path_, Errno()));
}

Books::HostBooks& Books::Of(std::string_view host) {
  const auto found = hosts_.find(host);
  if (found != hosts_.end()) return found->second;
  return hosts_.emplace(std::string(host), HostBooks()).first->second;
}

}  // namespace waystation::adapters::sim
