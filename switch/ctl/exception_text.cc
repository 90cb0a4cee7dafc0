#include "switch/ctl/exception_text.h"

#include <array>
#include <sstream>
#include <utility>

#include "fmt/format.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

constexpr size_t kColumns = 100;
constexpr std::string_view kIndent = "         ";
constexpr size_t kMostBillerColumns = 12;

struct TypedVerdict {
  v1::Verdict verdict;
  const char* word;
  const char* means;
};
constexpr std::array kVerdicts = {
    TypedVerdict{v1::VERDICT_CHARGE_STATION, "charge", "it took effect at the biller: the station pays"},
    TypedVerdict{v1::VERDICT_RELEASE, "release", "it took no effect: the station does not pay"},
    TypedVerdict{v1::VERDICT_WRITE_OFF, "write-off", "it took effect: the operator pays, from the suspense account"},
};

std::string ResolveCommand(const v1::Payment& payment, std::string_view verdict) {
  return fmt::format("switchctl exceptions resolve {} --verdict {} --by CLERK --reason TEXT", payment.payment_id(),
                     verdict);
}

std::string ToPropose(const v1::Payment& payment) {
  std::string text;
  if (payment.suggested_verdict() != v1::VERDICT_UNSPECIFIED) {
    text = fmt::format("The record says that the biller has approved it, as {}: \"{}\" is suggested. Check it there.\n",
                       Printable(payment.biller_reference()), TypedWord(payment.suggested_verdict()));
  } else {
    text = fmt::format("Find out from biller {} what became of it: our reference is {}{}.\n",
                       Printable(payment.biller_id()), payment.payment_id(),
                       payment.biller_reference().empty()
                           ? ""
                           : fmt::format(", its own is {}", Printable(payment.biller_reference())));
  }
  text += "Then one person proposes what is to be done, one of\n";
  for (const TypedVerdict& typed : kVerdicts) {
    text += fmt::format("  {}\n      {}\n", ResolveCommand(payment, typed.word), typed.means);
  }
  return text + "Another person confirms it, and only then is it posted.\n";
}

std::string ToConfirm(const v1::Payment& payment) {
  const v1::Resolution& resolution = payment.resolution();
  const std::string word = TypedWord(resolution.verdict());
  if (resolution.proposal() == 0) {
    return fmt::format(
        "{} proposed \"{}\" with an older switchd, which did not number proposals. Propose it anew, with\n"
        "  {}\n",
        Printable(resolution.proposed_by()), word, ResolveCommand(payment, word));
  }
  return fmt::format(
      "{0} proposes \"{1}\". Another person checks that, and posts it with\n"
      "  switchctl exceptions confirm {2} --proposal {3} --verdict {1} --by CLERK\n"
      "or proposes something else, which takes its place, with\n  {4}\n",
      Printable(resolution.proposed_by()), word, payment.payment_id(), resolution.proposal(),
      ResolveCommand(payment, "VERDICT"));
}

}  // namespace

std::optional<v1::Verdict> VerdictFromWord(const std::string& word) {
  for (const TypedVerdict& typed : kVerdicts) {
    if (word == typed.word) return typed.verdict;
  }
  return std::nullopt;
}

std::string TypedWord(v1::Verdict verdict) {
  for (const TypedVerdict& typed : kVerdicts) {
    if (verdict == typed.verdict) return typed.word;
  }
  return "?";
}

std::string ExceptionTable(const std::vector<v1::Payment>& payments, int64_t now_ms) {
  Table table({{"payment", Align::kRight},
               {"station"},
               {"biller"},
               {"yuan", Align::kRight},
               {"state"},
               {"owner"},
               {"next"},
               {"when"},
               {"until"}});
  for (const v1::Payment& payment : payments) {
    table.AddRow({payment.payment_id(), payment.station_id(), Shortened(payment.biller_id(), kMostBillerColumns),
                  Yuan(payment.amount_fen()), Word(payment.state()), Word(payment.owner()), Word(payment.next_action()),
                  TimeFrom(now_ms, payment.next_action_at_ms()), TimeFrom(now_ms, payment.deadline_ms())});
  }
  // The texts stand below their rows, where there is room for them.
  std::istringstream rows(table.ToString());
  std::string text;
  std::string row;
  std::getline(rows, row);
  text += row + "\n";
  const auto add = [&](const std::string& line) {
    if (!line.empty()) text += fmt::format("{}{}\n", kIndent, Shortened(line, kColumns - kIndent.size()));
  };
  for (const v1::Payment& payment : payments) {
    std::getline(rows, row);
    text += row + "\n";
    add(payment.unknown_cause());
    if (payment.has_resolution()) {
      add(fmt::format("{} proposes {}: {}", payment.resolution().proposed_by(),
                      TypedWord(payment.resolution().verdict()), payment.resolution().reason()));
    }
  }
  return text;
}

std::string WhatToDo(const v1::Payment& payment) {
  switch (payment.next_action()) {
    case v1::NEXT_ACTION_PROPOSE: return ToPropose(payment);
    case v1::NEXT_ACTION_CONFIRM: return ToConfirm(payment);
    case v1::NEXT_ACTION_NONE: return fmt::format("Nothing is left to do: {} is final.\n", Word(payment.state()));
    case v1::NEXT_ACTION_AWAIT_ANSWER:
    case v1::NEXT_ACTION_QUERY:
    case v1::NEXT_ACTION_REVERSE:
    case v1::NEXT_ACTION_CANCEL:
      return "Nothing yet: the switch goes on by itself. Past the deadline it asks a person.\n";
    case v1::NEXT_ACTION_AWAIT_PERSON:
      return "The switch can ask the biller nothing. Find out from its file, or by telephone; from the deadline on the "
             "payment is\nin REVIEW, and can be resolved.\n";
    case v1::NEXT_ACTION_UNSPECIFIED:
    case v1::NextAction_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::NextAction_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return "This switchctl and the switch are of different versions: use switchctl of the switch's version.\n";
}

}  // namespace waystation::ctl
