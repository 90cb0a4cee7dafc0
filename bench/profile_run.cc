#include "bench/profile_run.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bench/interruption.h"
#include "bench/process_status.h"
#include "bench/progress_line.h"
#include "bench/runs.h"
#include "bench/station_setup.h"
#include "bench/switch_watch.h"
#include "bench/traffic.h"
#include "fmt/format.h"
#include "grpcpp/client_context.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::bench {

namespace {

using std::chrono::steady_clock;

// So many intervals a run is told by at most: more would not be seen in a picture.
constexpr int64_t kMostIntervals = 600;
constexpr std::chrono::seconds kCallLimit{15};

LoadShape ShapeOf(const Profile& profile) {
  const auto interval = std::chrono::seconds((profile.measured.count() + kMostIntervals - 1) / kMostIntervals);
  return {.curve = profile.curve,
          .threads = profile.threads,
          .warm_up = profile.warm_up,
          .measured = profile.measured,
          .kinds = kCallKinds,
          .interval = interval};
}

absl::Status CutDay(const std::shared_ptr<grpc::Channel>& channel) {
  const auto stub = v1::AdminService::NewStub(channel);
  v1::BusinessDay day;
  v1::CloseBusinessDayRequest request;
  grpc::ClientContext asked;
  asked.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  grpc::Status status = stub->GetBusinessDay(&asked, v1::GetBusinessDayRequest(), &day);
  if (status.ok()) {
    request.set_closing_date(day.business_date());
    grpc::ClientContext cut;
    cut.set_deadline(std::chrono::system_clock::now() + kCallLimit);
    status = stub->CloseBusinessDay(&cut, request, &day);
  }
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      fmt::format("day cut: {}", status.error_message()));
}

// What the profile's billers are to customer numbers, in the mix; `outages` has a place for each biller.
absl::Status FitBillers(const Profile& profile, const std::shared_ptr<grpc::Channel>& channel,
                        std::vector<std::atomic<int>>& outages, PaymentMix& mix) {
  std::vector<std::string> ids;
  for (const ProfileBiller& biller : profile.billers) ids.push_back(biller.id);
  if (absl::Status status = FitToBillers(channel, ids, mix); !status.ok()) return status;
  for (size_t i = 0; i < profile.billers.size(); ++i) {
    mix.billers[i].parts = profile.billers[i].parts;
    mix.billers[i].endings = profile.billers[i].endings;
    outages[i] = -1;
    mix.billers[i].forced_ending = &outages[i];
  }
  return absl::OkStatus();
}

std::vector<TimedAction> ActionsOf(const Profile& profile, steady_clock::time_point measured_from,
                                   const std::shared_ptr<grpc::Channel>& channel,
                                   std::vector<std::atomic<int>>& outages) {
  std::vector<TimedAction> actions;
  for (const ProfileOutage& outage : profile.outages) {
    const auto set_to = [&ending = outages[outage.biller]](int value) {
      return [&ending, value] {
        ending = value;
        return absl::OkStatus();
      };
    };
    actions.push_back({measured_from + outage.from, set_to(outage.ending)});
    actions.push_back({measured_from + outage.until, set_to(-1)});
  }
  if (profile.day_cut_at.has_value()) {
    actions.push_back({measured_from + *profile.day_cut_at, [channel] { return CutDay(channel); }});
  }
  return actions;
}

std::vector<RunEvent> EventsOf(const Profile& profile) {
  std::vector<RunEvent> events;
  for (const ProfileOutage& outage : profile.outages) {
    events.push_back({.from_s = static_cast<double>(outage.from.count()),
                      .until_s = static_cast<double>(outage.until.count()),
                      .label = fmt::format("outage: {}", profile.billers[outage.biller].id)});
  }
  if (profile.day_cut_at.has_value()) {
    const auto at_s = static_cast<double>(profile.day_cut_at->count());
    events.push_back({.from_s = at_s, .until_s = at_s, .label = "day cut"});
  }
  return events;
}

double PaymentsDue(const Profile& profile) {
  double most = 0;
  for (const RatePoint& point : profile.curve) most = std::max(most, point.per_second);
  return most * static_cast<double>((profile.warm_up + profile.measured).count());
}

absl::Status RunOn(const std::string& address, pid_t pid, const ProfileRunOptions& options, RunResult& result) {
  const Profile& profile = result.profile;
  absl::StatusOr<Channels> channels = Connect(address, profile.channels);
  if (!channels.ok()) return channels.status();
  const std::shared_ptr<grpc::Channel>& channel = channels->front();
  // For the watch, so that what it asks does not wait behind the load.
  absl::StatusOr<Channels> own = Connect(address, 1);
  if (!own.ok()) return own.status();
  std::vector<std::atomic<int>> outages(profile.billers.size());
  CallMix mix{.parts = profile.parts};
  mix.payments.first_station = profile.first_station;
  mix.payments.stations = profile.zipf_theta > 0 ? StationChoice::Zipf(profile.stations, profile.zipf_theta)
                                                 : StationChoice::Uniform(profile.stations);
  mix.payments.run_id = NewRunId();
  mix.payments.seed = options.seed;
  absl::Status status = FitBillers(profile, channel, outages, mix.payments);
  if (status.ok()) status = PrepareStations(channel, mix.payments, PaymentsDue(profile), Interrupted);
  if (status.ok()) status = InquireBills(channel, mix.payments, Interrupted);
  if (!status.ok()) return status;

  std::vector<std::unique_ptr<CallMaker>> makers;
  for (size_t slot = 0; slot < profile.in_flight; ++slot) makers.push_back(std::make_unique<CallMaker>(mix, slot));
  std::vector<std::unique_ptr<Call>> calls = MixedCalls(*channels, makers);
  const LoadShape shape = ShapeOf(profile);
  result.interval = shape.interval;
  result.started_at = std::chrono::system_clock::now();
  const auto measured_from = steady_clock::now() + shape.warm_up;
  SwitchWatch watch(own->front(), measured_from, pid, ActionsOf(profile, measured_from, own->front(), outages));
  {
    ProgressLine progress("calls", std::chrono::duration<double>(shape.warm_up + shape.measured).count(),
                          options.quiet ? nullptr : stderr);
    result.load = RunLoad(
        shape, std::move(calls), [&](const Progress& now) { progress.Show(now); }, Interrupted);
  }
  result.interrupted = Interrupted();
  status = watch.Stop();
  result.batches = watch.batches();
  result.most_resident_bytes = watch.most_resident_bytes();
  for (const auto& maker : makers) {
    for (size_t kind = 0; kind < kCallKinds; ++kind) result.made[kind] += maker->made()[kind];
    for (size_t ending = 0; ending < result.endings.size(); ++ending) {
      result.endings[ending] += maker->endings()[ending];
    }
  }
  return status;
}

}  // namespace

absl::StatusOr<RunResult> RunProfile(const ProfileRunOptions& options) {
  absl::StatusOr<Profile> profile = ReadProfile(options.profile_path);
  if (!profile.ok()) return profile.status();
  RunResult result{.profile = *std::move(profile), .seed = options.seed, .target = options.target};
  result.machine = ThisMachine();
  result.events = EventsOf(result.profile);
  if (!options.target.empty()) {
    if (result.profile.day_cut_at.has_value() && !options.may_cut_day) {
      return absl::FailedPreconditionError(
          fmt::format("{} cuts the business day of {}, which can't be undone; say so with --cut-day, or use a profile "
                      "without day_cut",
                      options.profile_path, options.target));
    }
    if (absl::Status status = RunOn(options.target, 0, options, result); !status.ok()) return status;
    return result;
  }
  result.work_folder_in_memory = IsInMemory(options.places.work_folder);
  absl::StatusOr<Server> server = StartServer(options.places, "switchd", SwitchConfiguration(result.profile));
  if (!server.ok()) return server.status();
  if (absl::Status status = RunOn(server->address, server->process->pid(), options, result); !status.ok()) {
    return status;
  }
  if (absl::Status status = StopServer(*server); !status.ok()) return status;
  return result;
}

}  // namespace waystation::bench
