#include "adapters/sim/books.h"

#include <fcntl.h>
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

Entry EntryOf(const json::object& line) {
  Entry entry;
  entry.customer_number = TextOf(line, "customer_number");
  entry.amount = core::Money::Fen(NumberOf(line, "amount_fen"));
  entry.code = TextOf(line, "code");
  entry.biller_reference = TextOf(line, "biller_reference");
  entry.voucher = TextOf(line, "voucher");
  entry.at = core::TimePoint(std::chrono::milliseconds(NumberOf(line, "at_ms")));
  const auto date = core::BusinessDate::FromNumber(static_cast<uint32_t>(NumberOf(line, "date")));
  if (date.ok()) entry.date = *date;
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
    if (*state == EntryState::kApplied || *state == EntryState::kDeclined) entry = EntryOf(object);
    entry.state = *state;
    entry.times_applied = times_applied;
  }
  return absl::OkStatus();
}

void Books::NoteRequest(std::string_view host, std::string_view operation, std::string_view reference) {
  ++Of(host).requests;
  json::object line = Event(host, kRequest, reference);
  line["operation"] = json::string_view(operation.data(), operation.size());
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

void Books::NoteTakenBack(std::string_view host, std::string_view reference) {
  Of(host).entries[std::string(reference)].state = EntryState::kTakenBack;
  Append(json::serialize(Event(host, ToText(EntryState::kTakenBack), reference)));
}

void Books::NoteBarred(std::string_view host, std::string_view reference) {
  Of(host).entries[std::string(reference)].state = EntryState::kBarred;
  Append(json::serialize(Event(host, ToText(EntryState::kBarred), reference)));
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
  std::vector<const std::pair<const std::string, Entry>*> rows;
  for (const auto& row : books->second.entries) {
    if (row.second.date == date) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* row : rows) visit(row->first, row->second);
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
