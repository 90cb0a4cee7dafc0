#include "switch/ctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/ctl/run_switchctl.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// "switchctl a --b \"c d\"" cut into words, as a shell does.
std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// The lines of a help footer that one could type.
std::vector<std::string> Examples(const std::string& footer) {
  std::vector<std::string> examples;
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  switchctl ")) examples.push_back(line.substr(2));
  }
  return examples;
}

void ForEachCommand(CLI::App& app, const std::string& path, const std::function<void(CLI::App&, std::string)>& visit) {
  const std::vector<CLI::App*> below = app.get_subcommands([](CLI::App*) { return true; });
  if (below.empty()) visit(app, path);
  for (CLI::App* command : below) ForEachCommand(*command, path + " " + command->get_name(), visit);
}

void ExpectParses(const std::string& example) {
  const std::vector<std::string> words = Words(example);
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::ostringstream out;
  std::ostringstream err;
  CommandLine line;
  EXPECT_EQ(line.Parse(static_cast<int>(argv.size()), argv.data(), out, err), std::nullopt) << example << "\n"
                                                                                            << err.str();
}

TEST(HelpTest, EveryCommandHasExamplesThatParse) {
  CommandLine line;
  int commands = 0;
  ForEachCommand(line.root(), "switchctl", [&](CLI::App& command, const std::string& path) {
    ++commands;
    const std::vector<std::string> examples = Examples(command.get_footer());
    EXPECT_FALSE(examples.empty()) << path;
    for (const std::string& example : examples) {
      EXPECT_THAT(example, StartsWith(path)) << "the example of another command";
      ExpectParses(example);
    }
  });
  EXPECT_GE(commands, 24);
}

TEST(HelpTest, TheFirstPageTeaches) {
  const Ran ran = RunWith({"--help"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("An example session"), HasSubstr("Exit status:"), HasSubstr("UTC+8"),
                             HasSubstr("counter-purchase"), HasSubstr("WAYSTATION_ADDRESS")));
  CommandLine line;
  const std::vector<std::string> session = Examples(line.root().get_footer());
  EXPECT_GE(session.size(), 5U);
  for (const std::string& example : session) ExpectParses(example);
}

TEST(HelpTest, OfACommandShowsItsOwnArguments) {
  const Ran ran = RunWith({"pay", "--help"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("switchctl pay"), HasSubstr("--request-id"), HasSubstr("Example:")));
}

struct BadUsage {
  std::vector<std::string> arguments;
  std::vector<std::string> says;
};

TEST(BadUsageTest, NamesTheThingAndWhatToDo) {
  const std::vector<std::string> pay = {"pay",      "--station", "100000000001", "--operator", "2000000001",
                                        "--biller", "mobile",    "--customer",   "13800000000"};
  const auto pay_with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = pay;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const BadUsage cases[] = {
      {{}, {"expected a command"}},
      {{"station"}, {"switchctl station: expected a command", "switchctl station --help"}},
      {{"stations"}, {"\"stations\" is not an argument"}},
      {{"station", "shwo", "100000000001"}, {"switchctl station: \"shwo\""}},
      {{"station", "show"}, {"switchctl station show: station is required"}},
      {{"station", "show", "1", "2"}, {"\"2\" is not an argument"}},
      {pay_with({}), {"--amount is required", "switchctl pay --help"}},
      {pay_with({"--amout", "5"}), {"\"--amout\" is not an argument"}},
      {pay_with({"--amount", "5.005"}), {"--amount", "\"5.005\" has more than two decimals", "expected yuan"}},
      {pay_with({"--amount", "fifty"}), {"--amount", "\"fifty\" is not an amount"}},
      {pay_with({"--amount", "5", "--wait", "61"}), {"--wait", "61"}},
      {{"health", "--timeout", "0"}, {"--timeout", "0"}},
      {{"payment", "list", "--station", "100000000001", "--state", "lost"},
       {"--state", "\"lost\" is not a payment state", "SUCCEEDED", "ADJUSTED"}},
      {{"payment", "list", "--station", "100000000001", "--limit", "many"}, {"--limit", "many"}},
      {{"payment", "show"}, {"either a payment id, or --station together with --request-id"}},
      {{"payment", "show", "7", "--station", "100000000001"}, {"either a payment id"}},
      {{"payment", "show", "--station", "100000000001"}, {"either a payment id"}},
  };
  for (const BadUsage& c : cases) {
    const Ran ran = RunWith(c.arguments);
    const std::string asked = testing::PrintToString(c.arguments);
    EXPECT_EQ(ran.exit, 2) << asked;
    EXPECT_THAT(ran.out, IsEmpty()) << asked;
    EXPECT_THAT(ran.err, AllOf(StartsWith("switchctl"), HasSubstr("\n  next: "))) << asked;
    for (const std::string& words : c.says) EXPECT_THAT(ran.err, HasSubstr(words)) << asked;
  }
}

TEST(UnreachableTest, IsSaidAtOnceAndApartFromARefusal) {
  // Port 1 of the loopback address: nobody listens there, so the connection is refused and not waited for.
  const Ran ran = RunWith({"account", "show", "100000000001", "--address", "127.0.0.1:1"});
  EXPECT_EQ(ran.exit, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("switchctl account show: could not reach the switch at \"127.0.0.1:1\""),
                             HasSubstr("WAYSTATION_ADDRESS")));
}

}  // namespace
}  // namespace waystation::ctl
