#include "bench/diff.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "bench/report.h"
#include "bench/run_json.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

namespace json = boost::json;

enum class Good { kHigh, kLow };

struct Figure {
  double value = 0;
  Good good = Good::kHigh;
};

// Names sort so that what belongs together stands together.
using Figures = std::map<std::string, Figure>;

const json::object* ObjectAt(const json::object& around, std::string_view key) {
  const json::value* value = around.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::optional<double> NumberOf(const json::value* value) {
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

// What a result says it is.
struct Identity {
  std::string kind;
  int64_t schema = 0;
  std::string profile;
};

absl::StatusOr<Identity> IdentityOf(std::string_view which, const json::value& value) {
  constexpr std::string_view kExpected = "expected what `switchbench run`, `compare` or `rows` wrote with --json";
  const json::object* result = value.if_object();
  if (result == nullptr) return absl::InvalidArgumentError(fmt::format("{}: no JSON object; {}", which, kExpected));
  Identity identity;
  const json::value* kind = result->if_contains("kind");
  if (kind == nullptr || !kind->is_string()) {
    return absl::InvalidArgumentError(fmt::format("{}: no \"kind\" in it; {}", which, kExpected));
  }
  identity.kind = kind->as_string();
  if (identity.kind != kRunKind && identity.kind != kCompareKind && identity.kind != kRowsKind) {
    return absl::InvalidArgumentError(fmt::format("{}: of kind \"{}\"; {}", which, identity.kind, kExpected));
  }
  if (const json::value* schema = result->if_contains("schema"); schema != nullptr && schema->is_int64()) {
    identity.schema = schema->as_int64();
  }
  if (const json::value* profile = result->if_contains("profile"); profile != nullptr && profile->is_string()) {
    identity.profile = profile->as_string();
  }
  return identity;
}

void AddLatencies(const std::string& name, const json::object& around, Figures& figures) {
  const json::object* latency = ObjectAt(around, "latency_us");
  if (latency == nullptr) return;
  for (const char* percentile : {"p50", "p90", "p99", "p99_9"}) {
    if (const auto value = NumberOf(latency->if_contains(percentile))) {
      figures[fmt::format("{} {}, us", name, percentile)] = {*value, Good::kLow};
    }
  }
}

Figures RunFigures(const json::object& result) {
  Figures figures;
  const json::object* totals = ObjectAt(result, "totals");
  if (totals != nullptr) {
    if (const auto rate = NumberOf(totals->if_contains("per_second"))) figures["all calls/s"] = {*rate, Good::kHigh};
    AddLatencies("all", *totals, figures);
  }
  if (const json::object* kinds = ObjectAt(result, "kinds")) {
    for (const auto& [name, value] : *kinds) {
      const json::object* kind = value.if_object();
      const auto completed = kind == nullptr ? std::nullopt : NumberOf(kind->if_contains("completed"));
      if (!completed || *completed == 0) continue;
      if (const auto rate = NumberOf(kind->if_contains("per_second"))) {
        figures[fmt::format("{} calls/s", std::string_view(name))] = {*rate, Good::kHigh};
      }
      AddLatencies(std::string(name), *kind, figures);
    }
  }
  if (const auto unexpected = NumberOf(result.if_contains("unexpected"))) {
    figures["unexpected results"] = {*unexpected, Good::kLow};
  }
  return figures;
}

// Of compare, and of rows, which has promises too. Latencies are medians over the rounds.
Figures CompareFigures(const json::object& result) {
  Figures figures;
  for (const char* section : {"rates", "ratios"}) {
    const json::object* values = ObjectAt(result, section);
    if (values == nullptr) continue;
    for (const auto& [name, value] : *values) {
      const bool rate = std::string_view(section) == "rates";
      if (const auto number = NumberOf(&value)) {
        figures[fmt::format("{}{}", std::string_view(name), rate ? " per second" : "")] = {*number, Good::kHigh};
      }
    }
  }
  if (const json::object* promises = ObjectAt(result, "promises")) {
    for (const auto& [name, value] : *promises) {
      const json::object* promise = value.if_object();
      const auto number = promise == nullptr ? std::nullopt : NumberOf(promise->if_contains("value"));
      if (number) figures[name] = {*number, promise->contains("at_most") ? Good::kLow : Good::kHigh};
    }
  }
  std::map<std::string, std::vector<double>> latencies;
  const json::value* rounds = result.if_contains("rounds");
  if (rounds == nullptr || !rounds->is_array()) return figures;
  for (const json::value& round : rounds->as_array()) {
    if (!round.is_object()) continue;
    for (const auto& [name, load] : round.as_object()) {
      if (!load.is_object()) continue;
      Figures of_round;
      AddLatencies(std::string(name), load.as_object(), of_round);
      for (const auto& [figure, value] : of_round) latencies[figure].push_back(value.value);
    }
  }
  for (auto& [name, values] : latencies) figures[name] = {SpreadOf(std::move(values)).median, Good::kLow};
  return figures;
}

Verdict Judge(const Figure& before, const Figure& now, double tolerance) {
  if (std::abs(now.value - before.value) <= tolerance * std::abs(before.value)) return Verdict::kSame;
  return (now.value > before.value) == (before.good == Good::kHigh) ? Verdict::kBetter : Verdict::kWorse;
}

std::string_view Word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame: return "same";
    case Verdict::kBetter: return "better";
    case Verdict::kWorse: return "WORSE";
  }
  return "";
}

absl::StatusOr<json::value> ReadJson(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(
        fmt::format("{}: {}; expected a file that switchbench wrote with --json", path, std::strerror(errno)));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("{}: no JSON: {}; expected a file that switchbench wrote with --json", path, error.message()));
  }
  return value;
}

absl::StatusOr<Diff> DiffNamed(const json::value& old_result, std::string_view old_name, const json::value& new_result,
                               std::string_view new_name, double tolerance) {
  const absl::StatusOr<Identity> before = IdentityOf(old_name, old_result);
  if (!before.ok()) return before.status();
  const absl::StatusOr<Identity> now = IdentityOf(new_name, new_result);
  if (!now.ok()) return now.status();
  if (before->kind != now->kind || before->profile != now->profile) {
    const auto text = [](const Identity& identity) {
      return identity.profile.empty() ? identity.kind
                                      : fmt::format("{} of profile {}", identity.kind, identity.profile);
    };
    return absl::InvalidArgumentError(
        fmt::format("{} is a {}, {} a {}; expected two of the same", old_name, text(*before), new_name, text(*now)));
  }
  const bool run = now->kind == kRunKind;
  const int schema = run ? kRunSchema : kCompareSchema;
  if (before->schema != schema || now->schema != schema) {
    return absl::InvalidArgumentError(
        fmt::format("{} has schema {}, {} schema {}; expected schema {} in both: measure again with one build",
                    old_name, before->schema, new_name, now->schema, schema));
  }
  const Figures old_figures = run ? RunFigures(old_result.as_object()) : CompareFigures(old_result.as_object());
  const Figures new_figures = run ? RunFigures(new_result.as_object()) : CompareFigures(new_result.as_object());
  Diff diff;
  for (const auto& [name, old_figure] : old_figures) {
    const auto found = new_figures.find(name);
    if (found == new_figures.end()) {
      diff.unlike.push_back(fmt::format("{}: {:g}, now not there", name, old_figure.value));
      continue;
    }
    const double ratio = old_figure.value != 0 ? found->second.value / old_figure.value : 0;
    diff.lines.push_back({.name = name,
                          .old_value = old_figure.value,
                          .new_value = found->second.value,
                          .ratio = ratio,
                          .verdict = Judge(old_figure, found->second, tolerance)});
  }
  for (const auto& [name, figure] : new_figures) {
    if (!old_figures.contains(name)) diff.unlike.push_back(fmt::format("{}: not there, now {:g}", name, figure.value));
  }
  if (diff.lines.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("{} and {} have no figure in common; expected rates or latencies in both", old_name, new_name));
  }
  for (const char* key :
       {"machine", "load", "target", "stations", "seconds", "warm_up_seconds", "in_flight", "channels", "threads",
        "stream_in_flight", "a_message", "work_folder_in_memory", "interrupted"}) {
    const json::value* old_value = old_result.as_object().if_contains(key);
    const json::value* new_value = new_result.as_object().if_contains(key);
    const std::string old_text = old_value == nullptr ? "not there" : json::serialize(*old_value);
    const std::string new_text = new_value == nullptr ? "not there" : json::serialize(*new_value);
    if (old_text != new_text) diff.unlike.push_back(fmt::format("{}: {}, now {}", key, old_text, new_text));
  }
  return diff;
}

}  // namespace

absl::StatusOr<Diff> DiffResults(const json::value& old_result, const json::value& new_result, double tolerance) {
  return DiffNamed(old_result, "the old result", new_result, "the new one", tolerance);
}

absl::StatusOr<Diff> DiffFiles(const std::string& old_path, const std::string& new_path, double tolerance) {
  const absl::StatusOr<json::value> before = ReadJson(old_path);
  if (!before.ok()) return before.status();
  const absl::StatusOr<json::value> now = ReadJson(new_path);
  if (!now.ok()) return now.status();
  return DiffNamed(*before, old_path, *now, new_path, tolerance);
}

bool IsAnyWorse(const Diff& diff) {
  return std::any_of(diff.lines.begin(), diff.lines.end(),
                     [](const DiffLine& line) { return line.verdict == Verdict::kWorse; });
}

std::string DiffText(const Diff& diff) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (const std::string& unlike : diff.unlike) fmt::format_to(out, "not measured alike: {}\n", unlike);
  fmt::format_to(out, "{:<34}{:>14}{:>14}{:>9}\n", "", "old", "new", "ratio");
  for (const DiffLine& line : diff.lines) {
    // A ratio needs its digits, a rate does not.
    const int digits = std::max(std::abs(line.old_value), std::abs(line.new_value)) < 100 ? 3 : 0;
    fmt::format_to(out, "{:<34}{:>14.{}f}{:>14.{}f}{:>9}  {}\n", line.name, line.old_value, digits, line.new_value,
                   digits, line.old_value != 0 ? fmt::format("{:.3f}", line.ratio) : "", Word(line.verdict));
  }
  return text;
}

}  // namespace waystation::bench
