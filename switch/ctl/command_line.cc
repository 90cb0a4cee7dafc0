#include "switch/ctl/command_line.h"

#include <utility>
#include <vector>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"

namespace waystation::ctl {
namespace {

constexpr const char* kDescription =
    "switchctl works the Waystation switch from the command line: register stations, fill their prepaid accounts, "
    "inquire\n"
    "and pay as a counter does, settle what stayed open, look after billers and the business day, and prove the "
    "journal.\n"
    "Amounts are in yuan (50 or 50.00); times are shown in China time (UTC+8).";

constexpr const char* kFooter =
    R"(An example session, against a switch on this machine:
  switchctl health
  switchctl top
  switchctl station register 100000000001 --name "Li's Grocery" --activate
  switchctl counter-purchase 100000000001 500.00 --receipt R-0001 --clerk 8000000001
  switchctl biller list
  switchctl inquire --station 100000000001 --operator 2000000001 --biller gas --customer 30000000
  switchctl pay --station 100000000001 --operator 2000000001 --biller mobile --customer 13800000000 --amount 50
  switchctl payment list --station 100000000001
  switchctl account show 100000000001
  switchctl exceptions list
`switchctl COMMAND --help` has the arguments of each command and an example.

Exit status:
  0  done
  1  broken: a damaged journal, a fault in the switch (INTERNAL, DATA_LOSS, UNIMPLEMENTED), unwritable output
  2  bad usage: arguments that cannot be read, or that the switch calls INVALID_ARGUMENT or OUT_OF_RANGE
  3  declined or refused: a decline; a payment that is DECLINED, REVERSED, CANCELLED or ADJUSTED instead of paid;
     NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED
  4  not known yet: pay or cancel left the payment HELD, UNKNOWN, REVERSING, CANCELLING or in REVIEW;
     DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, CANCELLED, UNKNOWN, or UNAVAILABLE once connected. Repeat the
     very same command, or follow with `payment show`; never pay again under another request id.
  5  could not reach the switch (nothing was sent), or health is not SERVING

With --json standard output has the answer of each call as proto JSON on one line: *_fen and *_at_ms are in fen and in
milliseconds since 1970 UTC, as strings; lists and streams give one object a line. Errors go to standard error, as
text.)";

std::string WithoutExample(const char* name) {
  return fmt::format("`switchctl {}--help` shows the arguments and an example", name);
}

void AddGlobalOptions(CLI::App& app, Settings& settings) {
  app.add_option("--address", settings.address, "Where switchd listens, HOST:PORT")
      ->envname("WAYSTATION_ADDRESS")
      ->capture_default_str()
      ->type_name("HOST:PORT");
  app.add_flag("--json", settings.json, "Print proto JSON instead of tables");
  app.add_option("--timeout", settings.timeout_s,
                 "Time limit of a call, default 10; a watch has none unless this is given")
      ->check(CLI::Range(0.001, 86400.0))
      ->type_name("SECONDS");
}

// The command that the parse got to: the app itself, or the innermost one named.
const CLI::App* Innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

// "station list " with its space; empty for the whole program.
std::string Path(const CLI::App* app) {
  std::string path;
  for (; app->get_parent() != nullptr; app = app->get_parent()) path = app->get_name() + " " + path;
  return path;
}

}  // namespace

CommandLine::CommandLine() : app_(std::string(kDescription) + "\n", "switchctl") {
  app_.footer(kFooter);
  app_.require_subcommand(1);
  // Lets the options of the whole program stand behind a command too.
  app_.fallthrough();
  app_.set_help_flag("-h,--help", "Print this help");
  app_.get_formatter()->column_width(34);
  AddGlobalOptions(app_, settings_);

  AddStatusCommands(*this);
  AddTopCommand(*this);
  AddDayCommands(*this);
  AddStationCommands(*this);
  AddAccountCommands(*this);
  CLI::App& payment = AddGroup("payment", "Look at payments, follow them, cancel one", "Payments");
  AddCounterCommands(*this, payment);
  AddPaymentCommands(*this, payment);
  AddExceptionCommands(*this);
  AddBillerCommands(*this);
  AddJournalCommands(*this);
  AddBackupCommands(*this);
}

CLI::App& CommandLine::AddGroup(const char* name, const char* description, const char* section) {
  CLI::App* group = app_.add_subcommand(name, description);
  group->group(section);
  group->require_subcommand(1);
  group->footer(fmt::format("`switchctl {} COMMAND --help` shows the arguments and an example.", name));
  return *group;
}

CLI::App& CommandLine::AddCommand(CLI::App& parent, const CommandText& text, Action action) {
  CLI::App* command = parent.add_subcommand(text.name, text.description);
  std::string example = text.example;
  for (size_t at = 0; (at = example.find('\n', at)) != std::string::npos; at += 3) example.replace(at, 1, "\n  ");
  command->footer(fmt::format(
      "Example:\n  {}\nOptions of every command (--address, --json, --timeout): `switchctl --help`.", example));
  command->callback([this, command, action = std::move(action)] {
    chosen_name_ = Path(command);
    chosen_name_.pop_back();
    chosen_ = action;
  });
  return *command;
}

std::optional<ExitStatus> CommandLine::Parse(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out << app_.help();
    return ExitStatus::kDone;
  } catch (const CLI::ParseError& error) {
    return Explain(error, err);
  }
  return std::nullopt;
}

ExitStatus CommandLine::Explain(const CLI::ParseError& error, std::ostream& err) {
  const std::string path = Path(Innermost(&app_));
  // A word that nothing took is the better clue: what is then missing is often just that word misspelt.
  const std::vector<std::string> unknown = app_.remaining(/*recurse=*/true);
  std::string what = unknown.empty() ? std::string(error.what())
                                     : fmt::format("\"{}\" is not an argument that is expected here", unknown.front());
  if (unknown.empty() && what == "A subcommand is required") what = "expected a command after it";
  err << fmt::format("switchctl{}{}: {}\n  next: {}\n", path.empty() ? "" : " ",
                     path.substr(0, path.empty() ? 0 : path.size() - 1), what, WithoutExample(path.c_str()));
  return ExitStatus::kBadUsage;
}

ExitStatus CommandLine::Run(std::ostream& out, std::ostream& err) const {
  Session session(settings_, chosen_name_, out, err);
  const ExitStatus status = chosen_(session);
  out.flush();
  if (!out.good() && status == ExitStatus::kDone) {
    return session.Fail(ExitStatus::kFault, "could not write to standard output; it was done all the same",
                        "see that its disk is not full and its reader is there");
  }
  return status;
}

void AddStationOption(CLI::App& command, std::string& into) {
  command.add_option("--station", into, "The station's institution code, 12 digits")->required()->type_name("CODE");
}

void AddReasonOption(CLI::App& command, std::string& into) {
  command.add_option("--reason", into, "Why; at most 200 bytes, kept in the journal")->type_name("TEXT");
}

void AddYuanOption(CLI::App& command, const std::string& name, core::Money& into, const std::string& description) {
  command
      .add_option_function<std::string>(
          name,
          [&into, name](const std::string& text) {
            const absl::StatusOr<core::Money> amount = core::ParseYuan(text);
            if (!amount.ok()) throw CLI::ValidationError(name, std::string(amount.status().message()));
            into = *amount;
          },
          description)
      ->required()
      ->type_name("YUAN");
}

void AddWaitOption(CLI::App& command, std::optional<double>& into_s) {
  command.add_option("--wait", into_s, "How long to wait for the outcome, 0 to 60; default 15")
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("SECONDS");
}

int RunSwitchctl(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  CommandLine line;
  const std::optional<ExitStatus> ended = line.Parse(argc, argv, out, err);
  return static_cast<int>(ended.has_value() ? *ended : line.Run(out, err));
}

}  // namespace waystation::ctl
