#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "CLI/CLI.hpp"
#include "switch/core/money.h"
#include "switch/ctl/session.h"

namespace waystation::ctl {

// What a command does once its arguments are read. It owns them together with the parser (which writes to them), so
// they are held by shared_ptr: both live as long as the CommandLine, in no given order.
using Action = std::function<ExitStatus(Session&)>;

struct CommandText {
  const char* name;
  const char* description;
  // A line of use, as one would type it, each tried by a test; more lines are separated by '\n'.
  const char* example;
};

// The tree of all commands, and what one command line chose from it. Parses once.
class CommandLine {
 public:
  // All commands.
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // A command that has commands of its own. `section` is the heading that it stands under in the help.
  CLI::App& AddGroup(const char* name, const char* description, const char* section);
  // A command under `parent`.
  CLI::App& AddCommand(CLI::App& parent, const CommandText& text, Action action);
  CLI::App& root() { return app_; }

  // Null when a command was chosen. Otherwise all is done: the help was printed, or what is wrong with the arguments.
  std::optional<ExitStatus> Parse(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

  // After a Parse that chose a command.
  ExitStatus Run(std::ostream& out, std::ostream& err) const;

 private:
  ExitStatus Explain(const CLI::ParseError& error, std::ostream& err);

  CLI::App app_;
  Settings settings_;
  std::string chosen_name_;
  Action chosen_;
};

// --- options that several commands have; the target outlives the parse ---
// "--station CODE", required.
void AddStationOption(CLI::App& command, std::string& into);
// "--reason TEXT".
void AddReasonOption(CLI::App& command, std::string& into);
// An amount in yuan, by option or position, required; what is not an amount is bad usage.
void AddYuanOption(CLI::App& command, const std::string& name, core::Money& into, const std::string& description);
// "--wait SECONDS", 0 to 60; stays null when it is not given.
void AddWaitOption(CLI::App& command, std::optional<double>& into_s);

// The whole program; gives back the exit status of the process.
int RunSwitchctl(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace waystation::ctl
