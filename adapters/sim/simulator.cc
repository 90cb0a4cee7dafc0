#include "adapters/sim/simulator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters::sim {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kMostCommandBytes = 4'096;
constexpr std::string_view kCommands =
    "fault HOST OPERATION ENDING KIND [delay_ms=N] [times=N], clear HOST, latency HOST SHAPE MS.., refuse HOST, "
    "accept HOST, cut HOST, restart HOST, effect HOST REFERENCE, counts HOST";

std::string EffectText(const Entry* entry, uint64_t times_asked) {
  if (entry == nullptr) return fmt::format("none asked={}", times_asked);
  if (entry->state == EntryState::kDeclined) return fmt::format("declined {} asked={}", entry->code, times_asked);
  if (entry->state == EntryState::kBarred) return fmt::format("barred asked={}", times_asked);
  return fmt::format("{} times={} customer={} amount_fen={} asked={} reference={} voucher={}", ToText(entry->state),
                     entry->times_applied, entry->customer_number, entry->amount.fen(), times_asked,
                     entry->biller_reference, entry->voucher);
}

std::string CountsText(const BookCounts& counts) {
  return fmt::format("requests={} applied={} declined={} taken_back={} barred={}", counts.requests, counts.applied,
                     counts.declined, counts.taken_back, counts.barred);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Simulator>> Simulator::Make(const SimulatorConfig& config, const core::Clock* clock,
                                                           BooksUse use) {
  std::unique_ptr<Simulator> simulator(new Simulator());
  absl::StatusOr<std::unique_ptr<Books>> books = Books::Open(config.books, use);
  if (!books.ok()) return books.status();
  simulator->books_ = *std::move(books);
  uint64_t seed = config.seed;
  for (const SimulatorConfig::HostConfig& host : config.hosts) {
    if (simulator->Find(host.name) != nullptr) {
      return absl::InvalidArgumentError(fmt::format("hosts: \"{}\" stands there twice", host.name));
    }
    auto faults = std::make_unique<Faults>(seed++);
    absl::StatusOr<Latency> latency = Latency::Parse(host.latency);
    if (!latency.ok()) return latency.status();
    faults->SetLatency(*latency);
    for (const std::string& text : host.faults) {
      absl::StatusOr<FaultRule> rule = ParseFaultRule(text);
      if (!rule.ok()) return rule.status();
      faults->Add(*std::move(rule));
    }
    absl::StatusOr<std::unique_ptr<Host>> made = MakeHost(host.protocol, {.name = host.name,
                                                                          .listen = host.listen,
                                                                          .settings = host.settings,
                                                                          .books = simulator->books_.get(),
                                                                          .faults = faults.get(),
                                                                          .clock = clock,
                                                                          .io = &simulator->io_});
    if (!made.ok()) return made.status();
    simulator->hosts_.push_back({host.name, std::move(faults), *std::move(made)});
  }
  Simulator* self = simulator.get();
  simulator->control_ = std::make_unique<Listener>(
      &simulator->io_, config.control,
      [self](std::shared_ptr<asio::ip::tcp::socket> socket) { return self->ServeControl(std::move(socket)); });
  return simulator;
}

Simulator::~Simulator() = default;

absl::Status Simulator::Open() {
  for (const Running& running : hosts_) {
    if (absl::Status status = running.host->Open(); !status.ok()) return status;
  }
  return control_->Open();
}

std::string Simulator::Execute(std::string_view line) {
  absl::StatusOr<std::string> answer = Obey(line);
  if (!answer.ok()) return fmt::format("error: {}", std::string(answer.status().message()));
  return answer->empty() ? "ok" : "ok " + *answer;
}

absl::StatusOr<std::string> Simulator::Obey(std::string_view line) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(line.data(), line.size()), absl::MaxSplits(' ', 2));
  const std::string& command = words[0];
  const Running* running = words.size() > 1 ? Find(words[1]) : nullptr;
  if (running == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is not understood, or its host is not known; expected one of: {}", line, kCommands));
  }
  const std::string rest = words.size() > 2 ? words[2] : "";
  if (command == "fault") {
    absl::StatusOr<FaultRule> rule = ParseFaultRule(rest);
    if (!rule.ok()) return rule.status();
    running->faults->Add(*std::move(rule));
  } else if (command == "clear") {
    running->faults->Clear();
  } else if (command == "latency") {
    absl::StatusOr<Latency> latency = Latency::Parse(rest);
    if (!latency.ok()) return latency.status();
    running->faults->SetLatency(*latency);
  } else if (command == "refuse") {
    running->host->Refuse();
  } else if (command == "accept") {
    if (absl::Status status = running->host->Open(); !status.ok()) return status;
  } else if (command == "cut") {
    running->host->CutAll();
  } else if (command == "restart") {
    running->host->Refuse();
    running->host->CutAll();
    if (absl::Status status = running->host->Open(); !status.ok()) return status;
  } else if (command == "effect") {
    return EffectText(books_->Find(running->name, rest), books_->TimesAsked(running->name, rest));
  } else if (command == "counts") {
    return CountsText(books_->Counts(running->name));
  } else {
    return absl::InvalidArgumentError(fmt::format("\"{}\" is not a command; expected one of: {}", command, kCommands));
  }
  return "";
}

std::string Simulator::Addresses() const {
  std::string text = fmt::format("control {}\n", control_->address());
  for (const Running& running : hosts_) text += fmt::format("{} {}\n", running.name, running.host->address());
  return text;
}

absl::StatusOr<std::string> Simulator::AddressOf(std::string_view host) const {
  if (host == "control") return control_->address();
  const Running* running = Find(host);
  if (running == nullptr) return NotKnown(host);
  return running->host->address();
}

absl::StatusOr<std::string> Simulator::Statement(std::string_view host, core::BusinessDate date) const {
  const Running* running = Find(host);
  if (running == nullptr) return NotKnown(host);
  return running->host->Statement(date);
}

absl::StatusOr<uint64_t> Simulator::Effects(std::string_view host, std::string_view reference) const {
  if (Find(host) == nullptr) return NotKnown(host);
  const Entry* entry = books_->Find(host, reference);
  return entry != nullptr && entry->state == EntryState::kApplied ? entry->times_applied : 0;
}

absl::Status Simulator::NotKnown(std::string_view host) const {
  std::vector<std::string> names;
  for (const Running& one : hosts_) names.push_back(one.name);
  return absl::NotFoundError(fmt::format("host \"{}\" is not known; expected one of {}", host, fmt::join(names, ", ")));
}

const Simulator::Running* Simulator::Find(std::string_view name) const {
  const auto found = std::find_if(hosts_.begin(), hosts_.end(), [&](const Running& r) { return r.name == name; });
  return found == hosts_.end() ? nullptr : &*found;
}

asio::awaitable<void> Simulator::ServeControl(std::shared_ptr<asio::ip::tcp::socket> socket) {
  std::string received;
  for (;;) {
    error_code error;
    const size_t bytes = co_await asio::async_read_until(*socket, asio::dynamic_buffer(received, kMostCommandBytes),
                                                         '\n', asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const std::string answer = Execute(std::string_view(received).substr(0, bytes - 1)) + "\n";
    received.erase(0, bytes);
    co_await asio::async_write(*socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
  }
}

}  // namespace waystation::adapters::sim
