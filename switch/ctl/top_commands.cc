#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/terminal.h"
#include "switch/ctl/text_forms.h"
#include "switch/ctl/top_screen.h"
#include "waystation/v1/admin_service.grpc.pb.h"
#include "waystation/v1/operations_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

using std::chrono::steady_clock;

// A key is heard again after so long at the latest, while the switch does not answer.
constexpr std::chrono::milliseconds kLiveCallLimit{2'000};
constexpr double kLeastInterval = 0.1;
constexpr double kMostInterval = 3'600;
constexpr uint32_t kMostScreens = 1'000'000;
constexpr char kKeys[] = "q quit   p pause   s lanes by name or trouble first";

struct TopArguments {
  double interval_s = 1;
  uint32_t batch = 0;  // screens; 0: live
  bool once = false;

  steady_clock::duration interval() const {
    return std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(interval_s));
  }
};

template <typename Stub, typename Request, typename Response>
grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel,
                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), Response* response,
                 std::chrono::milliseconds limit) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + limit);
  Stub stub(channel);
  return (stub.*method)(&context, Request(), response);
}

grpc::Status LookAt(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds limit, TopLook* look) {
  grpc::Status status = Ask(channel, &v1::OperationsService::Stub::GetStatistics, &look->statistics, limit);
  if (status.ok()) status = Ask(channel, &v1::OperationsService::Stub::GetStatus, &look->status, limit);
  if (status.ok()) status = Ask(channel, &v1::AdminService::Stub::ListBillers, &look->billers, limit);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  look->at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return status;
}

void Print(Session& session, const TopLook& before, const TopLook& now) {
  if (session.json()) return session.PrintJson(now.statistics);
  for (const TopLine& line : TopScreen(before, now, {.address = session.settings().address, .columns = 200})) {
    session.out() << line.text << "\n";
  }
  session.out().flush();
}

// Each screen is of the interval before it.
ExitStatus RunBatch(Session& session, const std::shared_ptr<grpc::Channel>& channel, const TopArguments& arguments,
                    TopLook now) {
  for (uint32_t screen = 0; screen < arguments.batch; ++screen) {
    std::this_thread::sleep_for(arguments.interval());
    TopLook fresh;
    const grpc::Status status = LookAt(channel, session.timeout(), &fresh);
    if (!status.ok()) return session.FailCall(status);
    if (screen > 0 && !session.json()) session.out() << "\n";
    Print(session, now, fresh);
    now = std::move(fresh);
  }
  return ExitStatus::kDone;
}

// The screen with the line of keys at its bottom.
std::vector<TopLine> WithKeys(std::vector<TopLine> lines, const Terminal::Size& size) {
  lines.resize(size.rows);
  lines.back() = {Shortened(kKeys, std::max<size_t>(size.columns, 20)), TopLine::Look::kPlain};
  return lines;
}

ExitStatus RunLive(Session& session, const std::shared_ptr<grpc::Channel>& channel, const TopArguments& arguments,
                   TopLook now) {
  TopLook before;  // of no look: the first screen is of the time since the start
  Terminal terminal;
  TopView view{.address = session.settings().address, .note = "since the start"};
  bool paused = false;
  for (auto next = steady_clock::now() + arguments.interval();;) {
    const Terminal::Size size = terminal.size();
    view.columns = size.columns;
    view.rows = size.rows > 1 ? size.rows - 1 : 1;
    terminal.Draw(WithKeys(TopScreen(before, now, view), size));
    const Terminal::Happened happened = terminal.Wait(next);
    switch (happened.event) {
      case Terminal::Event::kEnd: return ExitStatus::kDone;
      case Terminal::Event::kResized: continue;
      case Terminal::Event::kKey:
        if (happened.key == 'q') return ExitStatus::kDone;
        if (happened.key == 's') view.lanes_by_name = !view.lanes_by_name;
        if (happened.key == 'p') {
          paused = !paused;
          view.note = paused ? "paused" : "";
        }
        continue;
      case Terminal::Event::kTime: break;
    }
    next = std::max(next, steady_clock::now() - arguments.interval()) + arguments.interval();
    if (paused) continue;
    TopLook fresh;
    const grpc::Status status = LookAt(channel, kLiveCallLimit, &fresh);
    if (status.ok()) {
      before = std::exchange(now, std::move(fresh));
      view.note = "";
    } else {
      view.note = fmt::format("NO ANSWER for {} s: {}", (fresh.at_ms - now.at_ms) / 1'000, status.error_message());
    }
  }
}

ExitStatus Top(Session& session, TopArguments arguments) {
  const std::shared_ptr<grpc::Channel> channel = session.Connect();
  if (channel == nullptr) return ExitStatus::kUnreachable;
  TopLook first;
  const grpc::Status status = LookAt(channel, session.timeout(), &first);
  if (!status.ok()) return session.FailCall(status);
  const bool live = arguments.batch == 0 && !arguments.once && !session.json() && Terminal::IsThere();
  if (live) return RunLive(session, channel, arguments, std::move(first));
  if (arguments.batch == 0 || arguments.once) arguments.batch = 1;
  return RunBatch(session, channel, arguments, std::move(first));
}

}  // namespace

void AddTopCommand(CommandLine& line) {
  auto arguments = std::make_shared<TopArguments>();
  CLI::App& app =
      line.AddCommand(line.root(),
                      {"top", "Watch it work: rates, latencies, lanes, what is open; a live screen on a terminal",
                       "switchctl top\nswitchctl top --once\nswitchctl top --batch 60 --interval 10"},
                      [arguments](Session& session) { return Top(session, *arguments); });
  app.group("The switch");
  app.add_option("--interval", arguments->interval_s, "Between two screens, 0.1 to 3600; 1 when not given")
      ->check(CLI::Range(kLeastInterval, kMostInterval))
      ->type_name("SECONDS");
  app.add_option("--batch", arguments->batch, "Print so many screens one after the other, then end")
      ->check(CLI::Range(uint32_t{1}, kMostScreens))
      ->type_name("N");
  app.add_flag("--once", arguments->once, "Print one; also where this is no terminal");
}

}  // namespace waystation::ctl
