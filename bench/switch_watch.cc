#include "bench/switch_watch.h"

#include <algorithm>
#include <utility>

#include "bench/process_status.h"
#include "fmt/format.h"
#include "grpcpp/client_context.h"
#include "waystation/v1/journal_service.grpc.pb.h"
#include "waystation/v1/operations_service.grpc.pb.h"

namespace waystation::bench {

namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds kLookInterval{1};
constexpr std::chrono::seconds kCallLimit{5};
// Legs that are read at a look: enough for some full blocks, and next to nothing for the switch to send.
constexpr uint64_t kLegsRead = 4'000;

absl::Status Failure(const char* what, const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      fmt::format("{}: {}", what, status.error_message()));
}

void SetLimit(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
}

}  // namespace

SwitchWatch::SwitchWatch(std::shared_ptr<grpc::Channel> channel, TimePoint measured_from, pid_t pid,
                         std::vector<TimedAction> actions)
    : channel_(std::move(channel)),
      measured_from_(measured_from),
      pid_(pid),
      actions_(std::move(actions)),
      looked_at_(std::chrono::steady_clock::now()) {
  std::stable_sort(actions_.begin(), actions_.end(),
                   [](const TimedAction& a, const TimedAction& b) { return a.at < b.at; });
  thread_ = std::thread([this] { Run(); });
}

SwitchWatch::~SwitchWatch() {
  (void)Stop();
}

absl::Status SwitchWatch::Stop() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  return first_error_;
}

void SwitchWatch::Run() {
  auto next_action = actions_.begin();
  TimePoint next_look = measured_from_;
  for (;;) {
    const bool act = next_action != actions_.end() && next_action->at <= next_look;
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, act ? next_action->at : next_look, [this] { return stop_; })) return;
    }
    absl::Status status;
    if (act) {
      status = (next_action++)->act();
    } else {
      const TimePoint now = std::chrono::steady_clock::now();
      status = Look(now);
      while (next_look <= now) next_look += kLookInterval;
    }
    if (first_error_.ok()) first_error_ = std::move(status);
  }
}

absl::Status SwitchWatch::Look(TimePoint now) {
  if (pid_ != 0) {
    if (const absl::StatusOr<ProcessStatus> process = StatusOf(pid_); process.ok()) {
      most_resident_bytes_ = std::max(most_resident_bytes_, process->resident_bytes);
    }
  }
  v1::SwitchStatus about;
  {
    grpc::ClientContext context;
    SetLimit(context);
    const grpc::Status status =
        v1::OperationsService::NewStub(channel_)->GetStatus(&context, v1::GetStatusRequest(), &about);
    if (!status.ok()) return Failure("status of the switch", status);
  }
  const uint64_t before = std::exchange(last_sequence_, about.last_sequence());
  const double passed = std::chrono::duration<double>(now - std::exchange(looked_at_, now)).count();
  // The first look is what the others count from.
  if (before == 0 || last_sequence_ <= before || passed <= 0) return absl::OkStatus();

  v1::StreamJournalRequest request;
  request.set_from_sequence(std::max(before + 1, last_sequence_ + 1 - std::min(last_sequence_, kLegsRead)));
  request.set_until_end(true);
  grpc::ClientContext context;
  SetLimit(context);
  const auto reader = v1::JournalService::NewStub(channel_)->Stream(&context, request);
  uint64_t legs = 0, blocks = 0;
  v1::StreamJournalResponse response;
  while (reader->Read(&response)) {
    for (const journal::v1::Block& block : response.blocks()) {
      // Of the first one a part is left out.
      if (block.header().first_sequence() < request.from_sequence()) continue;
      legs += static_cast<uint64_t>(block.legs_size());
      ++blocks;
    }
  }
  if (const grpc::Status status = reader->Finish(); !status.ok()) return Failure("end of the journal", status);
  if (blocks == 0) return absl::OkStatus();
  batches_.push_back({.at_s = std::chrono::duration<double>(now - measured_from_).count(),
                      .legs_per_second = static_cast<double>(last_sequence_ - before) / passed,
                      .legs_per_block = static_cast<double>(legs) / static_cast<double>(blocks)});
  return absl::OkStatus();
}

}  // namespace waystation::bench
