#include "tests/contract/water_company.h"

#include <fstream>
#include <iterator>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "switch/core/check.h"
#include "tests/adapters/simulated_water_company.h"
#include "tests/contract/registered.h"

namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStartLimit{60'000};

std::string Example(std::string_view file) {
  return fmt::format("{}/adapters/remote/example/{}", WS_SOURCE_DIR, file);
}

std::unique_ptr<bench::TemporaryFolder> NewFolder() {
  auto folder = bench::TemporaryFolder::Make(bench::DefaultParentFolder());
  WS_CHECK(folder.ok(), "a temporary folder");
  return *std::move(folder);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  WS_CHECK(file.good(), "a file of the example");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

WaterCompany::WaterCompany(const std::string& books)
    : folder_(NewFolder()), books_(books.empty() ? folder_->path() + "/books.db" : books), address_("127.0.0.1:0") {
  Start();
}

void WaterCompany::Start() {
  Serve(Command());
}

void WaterCompany::StartForEver() {
  // It is killed with the shell.
  const std::string script =
      fmt::format(R"(while :; do setpriv --pdeathsig KILL "$@" & echo $! >{}; wait $!; done)", ProcessIdFile());
  std::vector<std::string> command = {"/bin/sh", "-c", script, "sh"};
  for (std::string& word : Command()) command.push_back(std::move(word));
  Serve(std::move(command));
}

void WaterCompany::Serve(std::vector<std::string> command) {
  command.insert(command.end(), {"serve", "--faults", "--listen", address_});
  process_ = std::make_unique<e2e::Child>(std::move(command), folder_->path() + "/errors");
  const std::optional<std::string> listening = process_->WaitForLine("listening on ", kStartLimit);
  if (!listening) fmt::print(stderr, "{}\n", process_->Errors());
  WS_CHECK(listening.has_value(), "the water company listens");
  address_ = *listening;
}

std::string WaterCompany::RestartCommand() const {
  return fmt::format("p=$(cat {}); kill -9 $p; while kill -0 $p 2>/dev/null; do sleep 0.01; done", ProcessIdFile());
}

absl::StatusOr<int> WaterCompany::Effects(core::PaymentId payment) const {
  std::vector<std::string> command = Command();
  command.insert(command.end(), {"effects", payment.ToString()});
  const e2e::Ended ended = e2e::RunToEnd(std::move(command), folder_->path() + "/effects_errors");
  if (ended.exit_status == 0 && (ended.output == "0\n" || ended.output == "1\n")) return ended.output == "1\n" ? 1 : 0;
  return absl::UnavailableError(fmt::format("exit status {}: {}{}", ended.exit_status, ended.output, ended.errors));
}

std::string WaterCompany::EffectsCommand() const {
  return fmt::format("{} effects", fmt::join(Command(), " "));
}

std::vector<std::string> WaterCompany::Command() const {
  // -B: leaves no byte code among the sources. Debian's own Python, whose packages install-deps.sh installs.
  return {"/usr/bin/python3", "-B", Example("water_company.py"), "--books", books_};
}

std::string CardFile() {
  return Example("water.card");
}

std::string ScenarioFile() {
  return Example("water.scenario");
}

std::string SandboxScenarioFile() {
  return WS_SOURCE_DIR "/adapters/sandbox/mobile.scenario";
}

conformance::Target WaterCompanyTarget() {
  const auto company = std::make_shared<WaterCompany>();
  conformance::Target target =
      RegisteredTarget("remote", {{"address", company->address()}, {"card_file", CardFile()}}, ReadAll(ScenarioFile()));
  target.scenario.unreachable = {{"address", "127.0.0.1:1"}};
  target.restart = [company] {
    company->Kill();
    company->Start();
    return absl::OkStatus();
  };
  target.effects = [company](core::PaymentId payment) { return company->Effects(payment); };
  target.host = company;
  return target;
}

conformance::Target SimulatedWaterCompanyTarget() {
  // One that answers at once, and one that takes longer than anybody waits.
  struct Companies {
    SimulatedWaterCompany usual;
    SimulatedWaterCompany slow;
  };
  const auto companies = std::make_shared<Companies>();
  companies->slow.simulator().Do("latency water fixed 60000");
  for (const std::string_view fault :
       {"82 lose", "83 cut_unheard", "84 silent", "85 double", "86 wrong_reference", "88 late delay_ms=3000",
        "91 decline", "92 cut_before", "93 cut_middle", "94 garbage"}) {
    companies->usual.simulator().Do(fmt::format("fault water pay {}", fault));
  }
  conformance::Target target = RegisteredTarget("remote", companies->usual.AdapterSettings(), R"(
      good 100000001
      good 100000002
      good 100000003
      good 100000004
      no_account 100000090
      declined 100000090
      declined 100000091
      unknown_no_effect 100000082 lost
      unknown_no_effect 100000083 cut before the host takes it up
      silent 100000084
      silent 100000085 the answer twice
      silent 100000086 on another call's stream
      late 100000088
      unknown_effect 100000092 cut before the answer
      unknown_effect 100000093 cut in the middle of the answer
      unknown_effect 100000094 random bytes
      cancel_refused 100000097
      unreachable address=127.0.0.1:1
      )");
  target.scenario.slow = {{"address", companies->slow.AdapterSettings()["address"]}};
  target.effects = [companies](core::PaymentId payment) -> absl::StatusOr<int> {
    const std::string books = companies->usual.simulator().Do("effect water " + payment.ToString());
    const std::string applied = "applied times=";
    return books.starts_with(applied) ? std::stoi(books.substr(applied.size())) : 0;
  };
  target.host = companies;
  return target;
}

}  // namespace waystation::adapters
