// The load generator's command line. Exit status: 0 all results as expected; 1 the run could not be done, or a result
// was not as expected; 2 diff found something worse; 130 interrupted; others: wrong usage (CLI11's).

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "CLI/CLI.hpp"
#include "bench/compare.h"
#include "bench/diff.h"
#include "bench/follow.h"
#include "bench/hanging.h"
#include "bench/html_report.h"
#include "bench/interruption.h"
#include "bench/machine.h"
#include "bench/profile_run.h"
#include "bench/report.h"
#include "bench/rows.h"
#include "bench/run_json.h"
#include "bench/runs.h"
#include "bench/temporary_folder.h"
#include "bench/wire.h"
#include "fmt/format.h"

namespace waystation::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kWorse = 2;
constexpr int kInterrupted = 130;

struct Options {
  PayOptions pay;
  CompareOptions compare;
  RowsOptions rows;
  FollowOptions follow;
  HangingOptions hanging;
  WireOptions wire;
  ProfileRunOptions run;
  std::string old_path;
  std::string new_path;
  double tolerance = 0.05;
  std::string html_path;
  std::string json_path;
  bool expect_declines = false;

  // Where people read: not stdout when the JSON goes there.
  std::FILE* people() const { return json_path == "-" ? stderr : stdout; }
};

void AddLoadShape(CLI::App& app, LoadOptions& load) {
  app.add_option("--in-flight", load.in_flight, "Calls in flight; in an open loop the most that may be")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--channels", load.channels, "TCP connections")->check(CLI::Range(1, 1'000))->capture_default_str();
  app.add_option("--threads", load.threads, "Threads that send and receive")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--seconds", load.seconds, "Measured time")->check(CLI::Range(0.1, 86'400.0))->capture_default_str();
  app.add_option("--warm-up", load.warm_up_seconds, "Seconds of load before it is measured")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str();
  app.add_flag("--quiet", load.quiet, "No progress line");
}

void AddServer(CLI::App& app, LoadOptions& load) {
  app.add_option("--address", load.address, "host:port of the server")->capture_default_str();
  app.add_option(
         "--rate", load.rate,
         "Open loop: calls a second, evenly spaced; latency counts from when each was due. Without it: closed loop")
      ->check(CLI::Range(1.0, 10'000'000.0));
}

void AddStations(CLI::App& app, PayOptions& pay) {
  app.add_option("--stations", pay.stations, "Stations that pay; registered, activated and funded first")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--first-station", pay.first_station, "The first one's id; the others follow it")
      ->check(CLI::Range(uint64_t{1}, uint64_t{999'998'999'999}))
      ->capture_default_str();
  app.add_option("--zipf", pay.zipf_theta, "Choose stations after Zipf's law with this exponent. Without it: all alike")
      ->check(CLI::Range(0.01, 5.0));
  app.add_option("--seed", pay.seed, "Of what is paid; printed, random when not given");
}

void AddMessageSize(CLI::App& app, LoadOptions& load) {
  app.add_option("--a-message", load.a_message, "Over a stream a connection, so many a message at most")
      ->check(CLI::Range(1, 256));
  app.add_flag("--full-messages", load.full_messages,
               "Open loop over streams: what has come due waits for a message that is full");
}

// What a figure is of: it must stand beside it, since both sides of a comparison depend on it.
void AddShape(const PayOptions& pay, boost::json::object& json) {
  json["in_flight"] = pay.load.in_flight;
  json["channels"] = pay.load.channels;
  if (pay.load.a_message > 0) json["a_message"] = pay.load.a_message;
  if (pay.load.full_messages) json["full_messages"] = true;
  json["threads"] = pay.load.threads;
  json["seed"] = pay.seed;
}

void Complain(const absl::Status& status) {
  fmt::print(stderr, "switchbench: {}\n", std::string(status.message()));
}

int ReportFailure(const absl::Status& status) {
  Complain(status);
  return Interrupted() ? kInterrupted : kFailed;
}

// Prints what was measured, and writes it where that was asked for; the exit status.
int Report(const Options& options, std::string_view text, boost::json::object json, uint64_t unexpected) {
  fmt::print(options.people(), "{}", text);
  if (!options.json_path.empty()) {
    AddShape(options.pay, json);
    if (const absl::Status status = WriteJson(options.json_path, json); !status.ok()) {
      Complain(status);
      return kFailed;
    }
  }
  if (unexpected > 0) fmt::print(stderr, "switchbench: {} results were not as expected\n", unexpected);
  if (Interrupted()) return kInterrupted;
  return unexpected > 0 ? kFailed : 0;
}

std::string ShapeText(const LoadOptions& load) {
  return fmt::format("\n{} in flight on {} connections, {} generator threads\n", load.in_flight, load.channels,
                     load.threads);
}

int Conclude(const Options& options, std::string_view what, const absl::StatusOr<LoadResult>& result) {
  if (!result.ok()) return ReportFailure(result.status());
  const uint64_t unexpected = result->results.Unexpected(options.expect_declines) + result->never_sent;
  return Report(options, LoadText(what, *result), LoadJson(*result), unexpected);
}

// What a comparison is of.
std::string CompareShapeText(const CompareOptions& compare) {
  std::string text = ShapeText(compare.pay.load);
  if (compare.unary_only) return text;
  return text + fmt::format("over streams: {} in flight, {} a message\n", compare.stream_in_flight, compare.a_message);
}
void AddCompareShape(const CompareOptions& compare, boost::json::object& json) {
  json["machine"] = MachineJson(ThisMachine());
  json["stations"] = compare.pay.stations;
  json["seconds"] = compare.pay.load.seconds;
  json["warm_up_seconds"] = compare.pay.load.warm_up_seconds;
  if (compare.unary_only) return;
  json["stream_in_flight"] = compare.stream_in_flight;
  json["a_message"] = compare.a_message;
}

int DoCompare(Options& options) {
  options.compare.pay = options.pay;
  options.compare.progress = options.people();
  const absl::StatusOr<CompareResult> result = Compare(options.compare);
  if (!result.ok()) return ReportFailure(result.status());
  boost::json::object json = CompareJson(*result);
  AddCompareShape(options.compare, json);
  const std::string text = CompareShapeText(options.compare) + CompareText(*result);
  return Report(options, text, std::move(json), UnexpectedResults(*result));
}

int DoRows(Options& options) {
  options.compare.pay = options.pay;
  options.compare.progress = options.people();
  options.rows.compare = options.compare;
  const absl::StatusOr<RowsResult> result = MeasureRows(options.rows);
  if (!result.ok()) return ReportFailure(result.status());
  boost::json::object json = RowsJson(*result);
  AddCompareShape(options.compare, json);
  return Report(options, CompareShapeText(options.compare) + RowsText(*result), std::move(json), result->unexpected);
}

int DoHanging(Options& options) {
  options.hanging.pay = options.pay;
  options.hanging.progress = options.people();
  const absl::StatusOr<HangingResult> result = MeasureHanging(options.hanging);
  if (!result.ok()) return ReportFailure(result.status());
  return Report(options, HangingText(*result), HangingJson(*result), UnexpectedResults(*result));
}

int DoWire(Options& options) {
  options.wire.pay = options.pay;
  options.wire.progress = options.people();
  const absl::StatusOr<WireResult> result = MeasureWire(options.wire);
  if (!result.ok()) return ReportFailure(result.status());
  boost::json::object json = WireJson(*result);
  json["waiting"] = options.wire.waiting;
  json["latency_ms"] = options.wire.latency_ms;
  const std::string text = ShapeText(options.pay.load) + WireText(*result);
  return Report(options, text, std::move(json), UnexpectedResults(*result));
}

int DoFollow(const Options& options) {
  const absl::StatusOr<FollowResult> result = Follow(options.follow);
  if (!result.ok()) {
    Complain(result.status());
    return kFailed;
  }
  fmt::print(options.people(), "{}", FollowText(*result));
  if (!options.json_path.empty()) {
    if (const absl::Status status = WriteJson(options.json_path, FollowJson(*result)); !status.ok()) {
      Complain(status);
      return kFailed;
    }
  }
  return Interrupted() ? kInterrupted : 0;
}

int DoRun(Options& options) {
  options.run.places = options.compare.places;
  options.run.seed = options.pay.seed;
  options.run.quiet = options.pay.load.quiet;
  const absl::StatusOr<RunResult> result = RunProfile(options.run);
  if (!result.ok()) return ReportFailure(result.status());
  fmt::print(options.people(), "{}", LoadText("calls", result->load));
  absl::Status written;
  if (!options.json_path.empty()) written = WriteJson(options.json_path, RunJson(*result));
  if (written.ok() && !options.html_path.empty()) written = WriteText("--html", options.html_path, HtmlReport(*result));
  if (!written.ok()) return ReportFailure(written);
  const uint64_t unexpected = UnexpectedResults(*result);
  if (unexpected > 0) fmt::print(stderr, "switchbench: {} results were not as expected\n", unexpected);
  if (Interrupted()) return kInterrupted;
  return unexpected > 0 ? kFailed : 0;
}

int DoDiff(const Options& options) {
  const absl::StatusOr<Diff> diff = DiffFiles(options.old_path, options.new_path, options.tolerance);
  if (!diff.ok()) return ReportFailure(diff.status());
  fmt::print("{}", DiffText(*diff));
  return IsAnyWorse(*diff) ? kWorse : 0;
}

void AddProfileRun(CLI::App& app, Options& options) {
  app.add_option("profile", options.run.profile_path, "The profile's file, such as bench/profiles/peak-hour.yaml")
      ->required();
  app.add_option("--target", options.run.target, "host:port of a switch that runs. Without it: one is started");
  app.add_flag("--cut-day", options.run.may_cut_day, "The profile may cut the business day of --target");
  app.add_option("--html", options.html_path, "Write a report with plots to this file");
  app.add_option("--seed", options.pay.seed, "Of what is called; printed, random when not given");
  app.add_flag("--quiet", options.pay.load.quiet, "No progress line");
  app.add_option("--work-folder", options.compare.places.work_folder, "Where the data folder is made, on a disk")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
}

void AddDiff(CLI::App& app, Options& options) {
  app.add_option("old", options.old_path, "What run, compare or rows wrote with --json")->required();
  app.add_option("new", options.new_path, "Of the same kind, later")->required();
  app.add_option("--tolerance", options.tolerance, "A figure is the same within this part of the old one")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
}

std::string FolderOfThisProgram() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : program.parent_path().string();
}

int Main(int argc, char** argv) {
  NoteInterruptions();
  Options options;
  options.pay.seed = std::random_device{}();
  options.compare.places = {.program_folder = FolderOfThisProgram(), .work_folder = DefaultParentFolder()};

  CLI::App app{"Load for the switch: payments a second and their latency."};
  app.require_subcommand(1);
  CLI::App* pay = app.add_subcommand("pay", "Pay unary, in a closed or open loop, against a switch that runs");
  CLI::App* echo = app.add_subcommand("echo", "The same load against echo_server");
  CLI::App* compare = app.add_subcommand(
      "compare", "Echoes, payments, the ledger alone, PostgreSQL and Redis in turn, and their ratios");
  CLI::App* rows = app.add_subcommand(
      "rows", "compare, and what else is promised of the switch's speed, a row each, with its bound");
  CLI::App* follow = app.add_subcommand("follow", "Read the change feed of a switch that runs: legs a second");
  CLI::App* hanging =
      app.add_subcommand("hanging", "Pay two billers while a third one works, then hangs: what they notice of it");
  CLI::App* wire = app.add_subcommand(
      "wire", "As compare, but to three billers over their wire protocols; then many payments to slow ones");
  CLI::App* run = app.add_subcommand("run", "Run a profile: mixed calls along a curve; a report as JSON and HTML");
  CLI::App* diff =
      app.add_subcommand("diff", "Compare two results of run, compare or rows; exit status 2: something is worse");
  AddProfileRun(*run, options);
  AddDiff(*diff, options);
  for (CLI::App* command : {pay, echo, compare, rows, hanging, wire}) AddLoadShape(*command, options.pay.load);
  for (CLI::App* command : {pay, echo, compare, rows, follow, hanging, wire, run}) {
    command->add_option("--json", options.json_path, "Write the figures to this file too; - is stdout");
  }
  for (CLI::App* command : {pay, echo}) {
    AddServer(*command, options.pay.load);
    AddMessageSize(*command, options.pay.load);
  }
  for (CLI::App* command : {pay, compare, rows, hanging, wire}) AddStations(*command, options.pay);
  pay->add_option("--biller", options.pay.biller_ids, "Whom to pay; several with commas between them, the same to each")
      ->delimiter(',')
      ->capture_default_str();
  pay->add_flag("--expect-declines", options.expect_declines, "A decline is no reason for exit status 1");
  for (CLI::App* command : {compare, rows, hanging, wire}) {
    command->add_option("--rounds", options.compare.rounds, "How often both are measured")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    command
        ->add_option("--work-folder", options.compare.places.work_folder,
                     "Where the switch's data folder is made, on a disk")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
  }
  for (CLI::App* command : {compare, rows}) {
    command->add_option("--stream-in-flight", options.compare.stream_in_flight, "In flight over streams")
        ->check(CLI::Range(1, 9'000))
        ->capture_default_str();
    command->add_option("--a-message", options.compare.a_message, "Over streams: how many a message")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
  }
  rows->add_option("--overload-seconds", options.rows.overload_seconds,
                   "For how long twice the largest rate is offered")
      ->check(CLI::Range(0.5, 3'600.0))
      ->capture_default_str();
  rows->add_flag("--slow-ones", options.rows.slow_ones,
                 "A million stations and 20 million payments too; without it those rows are named as not measured");
  rows->add_flag_callback(
      "--only-slow-ones",
      [&options] {
        options.rows.slow_ones = true;
        options.rows.quick_ones = false;
      },
      "Nothing but those");
  compare->add_flag("--unary-only", options.compare.unary_only, "Only unary payments and the unary echo");
  hanging->add_option("--rate-each", options.hanging.rate_each, "Payments a second to each of the three billers")
      ->check(CLI::Range(1.0, 1'000'000.0))
      ->capture_default_str();
  wire->add_flag("--each", options.wire.each, "Measures each of the three protocols alone too");
  wire->add_option("--waiting", options.wire.waiting, "Payments in flight to billers that take their time; 0: none")
      ->check(CLI::Range(0, 90'000))
      ->capture_default_str();
  wire->add_option("--latency-ms", options.wire.latency_ms, "How long those take for an answer")
      ->check(CLI::Range(0, 4'000))
      ->capture_default_str();
  follow->add_option("--address", options.follow.address, "host:port of the server")->capture_default_str();
  follow->add_option("--from", options.follow.from, "The first leg")->capture_default_str();
  follow->add_option("--seconds", options.follow.seconds, "For how long. Without it: up to the journal's present end")
      ->check(CLI::Range(0.1, 86'400.0));
  CLI11_PARSE(app, argc, argv);

  if (*follow) return DoFollow(options);
  if (*diff) return DoDiff(options);

  if (!*echo) fmt::print(options.people(), "seed {}\n", options.pay.seed);
  if (*echo) return Conclude(options, "echoes", RunEcho(options.pay.load));
  if (*run) return DoRun(options);
  if (*hanging) {
    options.hanging.places = options.compare.places;
    options.hanging.rounds = options.compare.rounds;
    return DoHanging(options);
  }
  if (*wire) {
    options.wire.places = options.compare.places;
    options.wire.rounds = options.compare.rounds;
    return DoWire(options);
  }
  if (*rows) return DoRows(options);
  if (*pay) return Conclude(options, "payments", RunPay(options.pay));
  return DoCompare(options);
}

}  // namespace
}  // namespace waystation::bench

int main(int argc, char** argv) {
  return waystation::bench::Main(argc, argv);
}
