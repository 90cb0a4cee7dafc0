#include "bench/observation_cost.h"

#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/interruption.h"
#include "bench/process_status.h"
#include "boost/asio/ip/tcp.hpp"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr int kSlicesARound = 4;
constexpr std::chrono::seconds kScrapeInterval{1};
constexpr std::chrono::seconds kScrapeLimit{10};
constexpr std::chrono::seconds kLineLimit{5};

// Reads the page at "HOST:PORT/PATH" to its end.
absl::Status Scrape(const std::string& url) {
  const size_t colon = url.find(':');
  const size_t slash = url.find('/');
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(kScrapeLimit);
  stream.connect(url.substr(0, colon), url.substr(colon + 1, slash - colon - 1));
  stream << "GET " << url.substr(slash) << " HTTP/1.0\r\nHost: " << url.substr(0, slash) << "\r\n\r\n" << std::flush;
  const std::string page{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (page.starts_with("HTTP/1.") && page.find(" 200 ") < page.find('\n')) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("http://{}: {}; expected a page with status 200", url,
                                            page.empty() ? stream.error().message() : page.substr(0, page.find('\n'))));
}

// Reads the metrics at once and each second from then on, until Stop.
class Scraper {
 public:
  explicit Scraper(std::string url)
      : thread_([this, url = std::move(url)](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          do {
            result_.Update(Scrape(url));
            ++count_;
          } while (!wake.wait_for(lock, stop, kScrapeInterval, [&stop] { return stop.stop_requested(); }));
        }) {}

  // How often they were read.
  absl::StatusOr<uint64_t> Stop() {
    thread_.request_stop();
    thread_.join();
    if (!result_.ok()) return result_;
    return count_;
  }

 private:
  // The thread's until it is joined.
  absl::Status result_;
  uint64_t count_ = 0;
  std::jthread thread_;
};

struct Contestant {
  Server server;
  std::string metrics;  // empty: none
  std::vector<double> per_second = {};
  std::vector<double> cpu_us = {};

  ObservationCost::Side side() const { return {SpreadOf(per_second), SpreadOf(cpu_us)}; }
};

absl::Status Measure(const CompareOptions& options, Contestant& contestant, ObservationCost& cost) {
  PayOptions pay = options.pay;
  pay.load.address = contestant.server.address;
  pay.load.a_message = options.a_message;
  pay.load.in_flight = options.stream_in_flight;
  pay.load.seconds /= kSlicesARound;
  pay.load.warm_up_seconds /= kSlicesARound;
  const pid_t pid = contestant.server.process->pid();
  absl::StatusOr<ProcessStatus> before = absl::InternalError("not looked at");
  std::optional<Scraper> scraper;
  if (!contestant.metrics.empty()) scraper.emplace(contestant.metrics);
  absl::StatusOr<LoadResult> paid = RunPay(pay, [&] { before = StatusOf(pid); });
  const absl::StatusOr<ProcessStatus> after = StatusOf(pid);
  if (scraper.has_value()) {
    const absl::StatusOr<uint64_t> scrapes = scraper->Stop();
    if (!scrapes.ok()) return scrapes.status();
    cost.scrapes += *scrapes;
  }
  if (Interrupted()) return absl::CancelledError("interrupted");
  if (!paid.ok()) return paid.status();
  if (!before.ok()) return before.status();
  if (!after.ok()) return after.status();
  cost.unexpected += paid->results.Unexpected(/*expect_declines=*/false);
  contestant.per_second.push_back(paid->per_second());
  const double paid_in_all = static_cast<double>(paid->results.total());
  if (paid_in_all > 0) contestant.cpu_us.push_back((after->cpu_seconds - before->cpu_seconds) * 1e6 / paid_in_all);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ObservationCost> MeasureObservationCost(const CompareOptions& options) {
  absl::StatusOr<Server> watched = StartSandboxSwitch(options.places, Watched::kYes);
  if (!watched.ok()) return watched.status();
  absl::StatusOr<std::string> metrics = watched->process->WaitForLine("metrics on http://", kLineLimit, Interrupted);
  if (!metrics.ok()) return metrics.status();
  absl::StatusOr<Server> unwatched = StartSandboxSwitch(options.places);
  if (!unwatched.ok()) return unwatched.status();
  Contestant on{.server = *std::move(watched), .metrics = *std::move(metrics)};
  Contestant off{.server = *std::move(unwatched), .metrics = ""};
  ObservationCost cost;
  cost.slices = kSlicesARound * options.rounds;
  for (size_t slice = 0; slice < cost.slices; ++slice) {
    const bool on_first = slice % 2 == 0;
    for (Contestant* contestant : {on_first ? &on : &off, on_first ? &off : &on}) {
      if (absl::Status status = Measure(options, *contestant, cost); !status.ok()) return status;
    }
  }
  for (Contestant* contestant : {&on, &off}) {
    if (absl::Status status = StopServer(contestant->server); !status.ok()) return status;
  }
  cost.on = on.side();
  cost.off = off.side();
  return cost;
}

}  // namespace waystation::bench
