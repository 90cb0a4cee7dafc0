#include "adapters/conformance/scenario.h"

#include "fmt/format.h"

namespace waystation::adapters::conformance {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// Takes the first word off `text`; empty when there is none.
std::string TakeWord(std::string_view& text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return "";
  const size_t end = text.find_first_of(kBlanks, begin);
  const std::string_view word = text.substr(begin, end == text.npos ? end : end - begin);
  text.remove_prefix(begin + word.size());
  return std::string(word);
}

std::string Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1));
}

std::vector<Customer>* ListOf(Scenario& scenario, std::string_view word) {
  const std::pair<std::string_view, std::vector<Customer>*> lists[] = {
      {"good", &scenario.good},
      {"no_account", &scenario.no_account},
      {"declined", &scenario.declined},
      {"not_sent", &scenario.not_sent},
      {"unknown_effect", &scenario.unknown_effect},
      {"unknown_no_effect", &scenario.unknown_no_effect},
      {"silent", &scenario.silent},
      {"late", &scenario.late},
      {"cancel_refused", &scenario.cancel_refused},
  };
  for (const auto& [name, list] : lists) {
    if (name == word) return list;
  }
  return nullptr;
}

Settings* SettingsOf(Scenario& scenario, std::string_view word) {
  if (word == "slow") return &scenario.slow;
  if (word == "unreachable") return &scenario.unreachable;
  return word == "setting" ? &scenario.settings : nullptr;
}

// What is wrong with the line; empty when nothing is.
std::string TakeLine(std::string_view line, Scenario& scenario) {
  const std::string word = TakeWord(line);
  if (word.empty()) return "";
  if (std::vector<Customer>* list = ListOf(scenario, word); list != nullptr) {
    Customer customer{TakeWord(line), ""};
    if (customer.number.empty()) return fmt::format("{} without a customer number; expected {} CUSTOMER", word, word);
    customer.remark = Trimmed(line);
    list->push_back(std::move(customer));
    return "";
  }
  if (word == "stateless") {
    scenario.stateless = true;
    return Trimmed(line).empty() ? "" : "stateless takes nothing; expected it alone on its line";
  }
  if (Settings* settings = SettingsOf(scenario, word); settings != nullptr) {
    const std::string setting = Trimmed(line);
    const size_t equals = setting.find('=');
    if (equals == setting.npos || equals == 0) return fmt::format("\"{}\"; expected {} NAME=VALUE", setting, word);
    (*settings)[setting.substr(0, equals)] = setting.substr(equals + 1);
    return "";
  }
  if (word == "adapter" || word == "not_applicable") {
    const std::string name = TakeWord(line);
    if (name.empty() || !Trimmed(line).empty()) return fmt::format("{} takes one name; expected {} NAME", word, word);
    if (word == "adapter") scenario.adapter = name;
    if (word == "not_applicable") scenario.not_applicable.insert(name);
    return "";
  }
  return fmt::format(
      "\"{}\" is not known; expected good, no_account, declined, not_sent, unknown_effect, unknown_no_effect, silent, "
      "late, cancel_refused, slow, unreachable, stateless, adapter, setting or not_applicable",
      word);
}

}  // namespace

absl::StatusOr<Scenario> ParseScenario(std::string_view text) {
  Scenario scenario;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    line = line.substr(0, line.find('#'));
    if (std::string fault = TakeLine(line, scenario); !fault.empty()) {
      return absl::InvalidArgumentError(fmt::format("line {}: {}", number, fault));
    }
  }
  if (scenario.good.empty()) {
    return absl::InvalidArgumentError("no customer for whom all goes well; expected a line: good CUSTOMER");
  }
  return scenario;
}

}  // namespace waystation::adapters::conformance
