#include "bench/runs.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "bench/interruption.h"
#include "bench/progress_line.h"
#include "bench/station_setup.h"
#include "bench/stream_load.h"
#include "bench/traffic.h"
#include "bench/workload.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

// More than a machine of this size carries; stations of a closed loop get money for as many.
constexpr double kMostPaymentsPerSecond = 300'000;

std::chrono::nanoseconds Nanoseconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

LoadShape ShapeOf(const LoadOptions& load) {
  return {.rate = load.rate,
          .threads = load.threads,
          .warm_up = Nanoseconds(load.warm_up_seconds),
          .measured = Nanoseconds(load.seconds)};
}

StreamShape StreamShapeOf(const LoadOptions& load) {
  return {.rate = load.rate,
          .in_flight = load.in_flight,
          .a_message = load.a_message,
          .full_messages = load.full_messages,
          .threads = load.threads,
          .warm_up = Nanoseconds(load.warm_up_seconds),
          .measured = Nanoseconds(load.seconds)};
}

// Shows how it goes while it goes.
template <typename Run>
LoadResult Watched(const LoadOptions& load, std::string_view what, Run run) {
  ProgressLine line(what, load.warm_up_seconds + load.seconds, load.quiet ? nullptr : stderr);
  return run([&line](const Progress& progress) { line.Show(progress); });
}

}  // namespace

std::string NewRunId() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return fmt::format("b{:x}-{:x}", std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), getpid());
}

absl::StatusOr<LoadResult> RunEcho(const LoadOptions& load) {
  absl::StatusOr<Channels> channels = Connect(load.address, load.channels);
  if (!channels.ok()) return channels.status();
  return Watched(load, "echoes", [&](auto report) {
    if (load.a_message > 0) return RunEchoStreams(StreamShapeOf(load), *channels, report, Interrupted);
    return RunLoad(ShapeOf(load), EchoCalls(*channels, load.in_flight), report, Interrupted);
  });
}

absl::StatusOr<LoadResult> RunPay(const PayOptions& options, absl::FunctionRef<void()> prepared) {
  const LoadOptions& load = options.load;
  absl::StatusOr<Channels> channels = Connect(load.address, load.channels);
  if (!channels.ok()) return channels.status();
  PaymentMix mix;
  mix.first_station = options.first_station;
  mix.stations = options.zipf_theta > 0 ? StationChoice::Zipf(options.stations, options.zipf_theta)
                                        : StationChoice::Uniform(options.stations);
  mix.run_id = NewRunId();
  mix.seed = options.seed;
  if (absl::Status status = FitToBillers(channels->front(), options.biller_ids, mix); !status.ok()) return status;
  const double payments = (load.rate > 0 ? load.rate : kMostPaymentsPerSecond) * (load.seconds + load.warm_up_seconds);
  if (absl::Status status = PrepareStations(channels->front(), mix, payments, Interrupted); !status.ok()) return status;
  if (absl::Status status = InquireBills(channels->front(), mix, Interrupted); !status.ok()) return status;
  prepared();
  return Watched(load, "payments", [&](auto report) {
    if (load.a_message > 0) return RunPayStreams(StreamShapeOf(load), *channels, mix, report, Interrupted);
    return RunLoad(ShapeOf(load), PayCalls(*channels, load.in_flight, mix), report, Interrupted);
  });
}

}  // namespace waystation::bench
