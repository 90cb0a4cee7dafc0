#include "switch/ctl/top_screen.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "switch/ctl/text_forms.h"
#include "switch/ctl/top_figures.h"

namespace waystation::ctl {
namespace {

constexpr size_t kLeastColumns = 20;
constexpr size_t kLabelColumns = 10;
constexpr size_t kAgeBuckets = 5;
// Those of up to 10 minutes are the resolver's daily bread.
constexpr size_t kFirstOldAge = 2;

// The element of `list` for which `is_it` holds; an empty one where there is none.
template <typename List, typename IsIt>
const typename List::value_type& Find(const List& list, IsIt is_it) {
  static const typename List::value_type none;
  const auto found = std::find_if(list.begin(), list.end(), is_it);
  return found == list.end() ? none : *found;
}

class Screen {
 public:
  Screen(const TopLook& before, const TopLook& now, const TopView& view)
      : before_(before),
        now_(now),
        view_(view),
        columns_(std::max(view.columns, kLeastColumns)),
        same_start_(before.statistics.started_at_ms() == now.statistics.started_at_ms()),
        seconds_(static_cast<double>(Uptime(now) - (same_start_ ? Uptime(before) : 0)) / 1'000'000) {}

  std::vector<TopLine> Lines() {
    Title();
    State();
    Blank();
    Rates();
    Blank();
    Latencies();
    Blank();
    Open();
    Blank();
    const size_t left = RowsLeft();
    Lanes(left);
    Errors();
    if (view_.rows > 0 && lines_.size() > view_.rows) lines_.resize(view_.rows);
    return std::move(lines_);
  }

 private:
  using Look = TopLine::Look;

  static uint64_t Uptime(const TopLook& look) { return look.statistics.uptime_us(); }
  // Of before, as far as that is of the same start.
  const v1::Statistics& Before() const {
    static const v1::Statistics none;
    return same_start_ ? before_.statistics : none;
  }

  void Add(std::string_view text, Look look = Look::kPlain) {
    std::string line = Shortened(text, columns_);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    lines_.push_back({std::move(line), look});
  }
  // Where there are few, what says nothing is left out.
  bool HasManyRows() const {
    constexpr size_t kManyRows = 22;
    return view_.rows == 0 || view_.rows >= kManyRows;
  }
  void Blank() {
    if (HasManyRows()) Add("");
  }
  void Add(const Columns& columns, const std::vector<bool>& trouble = {}) {
    Add(columns.titles());
    for (size_t i = 0; i < columns.rows().size(); ++i) {
      Add(columns.rows()[i], i < trouble.size() && trouble[i] ? Look::kTrouble : Look::kPlain);
    }
  }
  size_t RowsLeft() const { return view_.rows > lines_.size() ? view_.rows - lines_.size() : 0; }

  void Title() {
    const std::string clock = ChinaTime(now_.at_ms).substr(0, std::string_view("2026-11-22 16:20:31").size());
    Add(fmt::format("waystation {}  up {}  {}{}{}", view_.address, Length(Uptime(now_) / 1'000'000), clock,
                    view_.note.empty() ? "" : "  ", view_.note),
        Look::kTitle);
  }

  void State() {
    std::string taken = "new payments: taken";
    bool trouble = true;
    if (now_.status.has_restored()) {
      taken = "new payments: NO, restored and not confirmed";
    } else if (now_.status.disk().low()) {
      taken = "new payments: NO, the disk is nearly full";
    } else {
      trouble = false;
    }
    const std::string lost = now_.status.log().lost_lines() == 0
                                 ? ""
                                 : fmt::format("  {} log lines lost", Grouped(now_.status.log().lost_lines()));
    Add(fmt::format("{}  in hand {}  leg {}  disk free {}{}", taken, Grouped(now_.statistics.in_progress()),
                    Grouped(now_.statistics.last_sequence()), Megabytes(now_.status.disk().free_bytes()), lost),
        trouble ? Look::kTrouble : Look::kPlain);
  }

  std::string PerSecond(uint64_t count) const {
    return seconds_ > 0 ? Rate(static_cast<double>(count) / seconds_) : "-";
  }

  std::string StateRate(v1::PaymentState state) const {
    const auto is_it = [state](const v1::StateCount& count) { return count.state() == state; };
    return PerSecond(Grown(Find(Before().payments(), is_it).count(), Find(now_.statistics.payments(), is_it).count()));
  }

  std::string CallRate(const std::function<bool(const v1::CallCount&)>& counts) const {
    const auto sum = [&counts](const v1::Statistics& statistics) {
      uint64_t all = 0;
      for (const v1::CallCount& call : statistics.calls()) all += counts(call) ? call.count() : 0;
      return all;
    };
    return PerSecond(Grown(sum(Before()), sum(now_.statistics)));
  }

  void Rates() {
    constexpr size_t kWidth = 10;
    constexpr int kResourceExhausted = 8;
    constexpr int kUnavailable = 14;
    Columns columns(columns_);
    columns.AddLabels("a second", {""}, kLabelColumns);
    columns.Add("held", {StateRate(v1::PAYMENT_STATE_HELD)}, kWidth);
    columns.Add("succeeded", {StateRate(v1::PAYMENT_STATE_SUCCEEDED)}, kWidth);
    columns.Add("declined", {StateRate(v1::PAYMENT_STATE_DECLINED)}, kWidth);
    columns.Add("unknown", {StateRate(v1::PAYMENT_STATE_UNKNOWN)}, kWidth);
    columns.Add("inquiries",
                {CallRate([](const v1::CallCount& call) { return call.method() == "PaymentService/Inquire"; })},
                kWidth);
    columns.Add("refused", {CallRate([](const v1::CallCount& call) {
                  return call.code() == kResourceExhausted || call.code() == kUnavailable;
                })},
                kWidth);
    columns.Add("reversed", {StateRate(v1::PAYMENT_STATE_REVERSED)}, kWidth);
    columns.Add("cancelled", {StateRate(v1::PAYMENT_STATE_CANCELLED)}, kWidth);
    columns.Add("review", {StateRate(v1::PAYMENT_STATE_REVIEW)}, kWidth);
    Add(columns);
  }

  Values Between(const v1::Histogram& before, const v1::Histogram& now) const {
    return {before, now, now_.statistics.bucket_bounds()};
  }

  static std::vector<std::string> Percentiles(const Values& values, const std::function<std::string(double)>& text) {
    std::vector<std::string> cells;
    for (const uint64_t percent : {50, 99}) {
      const std::optional<Values::Bound> bound = values.Percentile(percent);
      cells.push_back(bound.has_value() ? (bound->above ? ">" : "") + text(bound->value) : "-");
    }
    return cells;
  }

  void Latencies() {
    constexpr size_t kWidth = 10;
    Columns columns(columns_);
    columns.AddLabels("ms", {"p50", "p99"}, kLabelColumns);
    const std::pair<v1::PaymentStage, const char*> kStages[] = {{v1::PAYMENT_STAGE_QUEUE, "queue"},
                                                                {v1::PAYMENT_STAGE_COMMIT, "commit"},
                                                                {v1::PAYMENT_STAGE_BILLER, "biller"},
                                                                {v1::PAYMENT_STAGE_TOTAL, "total"}};
    for (const auto& [stage, name] : kStages) {
      const auto is_it = [wanted = stage](const v1::StageLatency& latency) { return latency.stage() == wanted; };
      const Values values = Between(Find(Before().stages(), is_it).us(), Find(now_.statistics.stages(), is_it).us());
      columns.Add(name, Percentiles(values, Milliseconds), kWidth);
    }
    columns.Add("a block's", Percentiles(Between(Before().commit_us(), now_.statistics.commit_us()), Milliseconds),
                kWidth + 1);
    const Values legs = Between(Before().block_legs(), now_.statistics.block_legs());
    columns.Add("legs of it", Percentiles(legs, [](double count) { return Grouped(static_cast<uint64_t>(count)); }),
                kWidth + 2);
    columns.Add("blocks/s", {PerSecond(legs.total())}, kWidth);
    Add(columns);
  }

  void Open() {
    constexpr size_t kStateColumns = 12;
    constexpr size_t kWidth = 9;
    constexpr v1::PaymentState kStates[] = {v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_REVERSING,
                                            v1::PAYMENT_STATE_CANCELLING, v1::PAYMENT_STATE_REVIEW};
    std::vector<std::string> labels;
    std::array<std::vector<std::string>, kAgeBuckets> ages;
    std::vector<std::string> oldest;
    std::vector<bool> trouble;
    for (const v1::PaymentState state : kStates) {
      std::array<uint64_t, kAgeBuckets> by_age{};
      int64_t since_ms = 0;
      for (const v1::OpenPayments& open : now_.statistics.open_payments()) {
        if (open.state() != state) continue;
        for (int i = 0; i < open.by_age_size(); ++i) {
          by_age[std::min(static_cast<size_t>(i), kAgeBuckets - 1)] += open.by_age(i);
        }
        const int64_t since = open.oldest_since_ms();
        if (since != 0 && (since_ms == 0 || since < since_ms)) since_ms = since;
      }
      if (since_ms == 0 && !HasManyRows()) continue;
      labels.push_back(Word(state));
      bool old = false;
      for (size_t i = 0; i < kAgeBuckets; ++i) {
        ages[i].push_back(by_age[i] == 0 ? "." : Grouped(by_age[i]));
        old = old || (i >= kFirstOldAge && by_age[i] > 0);
      }
      oldest.push_back(
          since_ms == 0 ? "-" : Length(static_cast<uint64_t>(std::max<int64_t>(0, now_.at_ms - since_ms)) / 1'000));
      trouble.push_back(old || (state == v1::PAYMENT_STATE_REVIEW && since_ms != 0));
    }
    Columns columns(columns_);
    columns.AddLabels("open", labels, kStateColumns);
    constexpr std::array<const char*, kAgeBuckets> kTitles = {"< 1 min", "< 10 min", "< 1 h", "< 1 day", "longer"};
    for (size_t i = 0; i < kAgeBuckets; ++i) columns.Add(kTitles[i], ages[i], kWidth);
    columns.Add("oldest", oldest, kWidth);
    if (!labels.empty()) Add(columns, trouble);
  }

  // Of one biller.
  struct Row {
    const v1::LaneStatistics* lane;
    const v1::Biller* biller;
    std::string state;
    int trouble = 0;  // 0: none
  };

  static Row RowOf(const v1::LaneStatistics& lane, const v1::Biller& biller) {
    Row row{.lane = &lane, .biller = &biller, .state = "in service", .trouble = 0};
    if (lane.lane().last_minute().unknown() > 0) row.trouble = 1;
    if (biller.status() == v1::BILLER_STATUS_DISABLED) {
      row.state = "disabled";
      row.trouble = 2;
    } else if (lane.lane().breaker() == v1::BREAKER_STATE_HALF_OPEN) {
      row.state = "is tried";
      row.trouble = 3;
    } else if (lane.lane().breaker() == v1::BREAKER_STATE_OPEN) {
      row.state = "NO ANSWER";
      row.trouble = 4;
    } else if (!lane.lane().out_of_service().empty()) {
      row.state = "OUT";
      row.trouble = 3;
    }
    return row;
  }

  std::vector<Row> LaneRows() const {
    std::vector<Row> rows;
    for (const v1::LaneStatistics& lane : now_.statistics.lanes()) {
      const auto is_it = [&lane](const v1::Biller& biller) { return biller.biller_id() == lane.biller_id(); };
      rows.push_back(RowOf(lane, Find(now_.billers.billers(), is_it)));
    }
    if (!view_.lanes_by_name) {
      std::ranges::stable_sort(rows, [](const Row& a, const Row& b) { return a.trouble > b.trouble; });
    }
    return rows;
  }

  void Lanes(size_t rows_left) {
    constexpr size_t kBillerColumns = 13;
    constexpr size_t kWidth = 8;
    std::vector<Row> rows = LaneRows();
    // The line of titles, and one that tells of those left out.
    const size_t room = view_.rows == 0 ? rows.size() : (rows_left > 2 ? rows_left - 2 : 0);
    const size_t left_out = rows.size() > room + 1 ? rows.size() - room : 0;
    rows.resize(rows.size() - left_out);
    std::vector<std::string> ids, states, in_flight, waiting, ok, declined, unknown, refused, p99, not_sent, own,
        overdue;
    std::vector<bool> trouble;
    for (const Row& row : rows) {
      const v1::BillerLane& lane = row.lane->lane();
      const v1::LaneOutcomes& minute = lane.last_minute();
      const auto is_it = [&row](const v1::LaneStatistics& it) { return it.biller_id() == row.lane->biller_id(); };
      ids.push_back(row.lane->biller_id());
      states.push_back(row.state);
      in_flight.push_back(fmt::format("{}/{}", lane.in_flight(), row.biller->max_in_flight()));
      waiting.push_back(Grouped(lane.waiting()));
      ok.push_back(Grouped(minute.approved()));
      declined.push_back(Grouped(minute.declined()));
      unknown.push_back(Grouped(minute.unknown()));
      refused.push_back(Grouped(minute.refused()));
      not_sent.push_back(Grouped(minute.not_sent()));
      own.push_back(Grouped(lane.resolving()));
      overdue.push_back(Grouped(lane.overdue()));
      p99.push_back(
          Percentiles(Between(Find(Before().lanes(), is_it).payment_us(), row.lane->payment_us()), Milliseconds)
              .back());
      trouble.push_back(row.trouble >= 2);
    }
    Columns columns(columns_);
    columns.AddLabels("biller", ids, kBillerColumns);
    columns.Add("", states, kWidth + 2);
    columns.Add("in flight", in_flight, kWidth + 3);
    columns.Add("waiting", waiting, kWidth);
    columns.Add("ok/min", ok, kWidth + 1);
    columns.Add("declined", declined, kWidth + 1);
    columns.Add("unknown", unknown, kWidth);
    columns.Add("p99 ms", p99, kWidth);
    columns.Add("refused", refused, kWidth + 1);
    columns.Add("not sent", not_sent, kWidth + 1);
    columns.Add("our own", own, kWidth);
    columns.Add("overdue", overdue, kWidth);
    Add(columns, trouble);
    if (left_out > 0) Add(fmt::format("... and {} more", left_out));
  }

  // The newest first, as many as there is room for.
  void Errors() {
    std::vector<const v1::LaneStatistics*> failed;
    for (const v1::LaneStatistics& lane : now_.statistics.lanes()) {
      if (lane.lane().has_last_error()) failed.push_back(&lane);
    }
    std::ranges::stable_sort(failed, [](const v1::LaneStatistics* a, const v1::LaneStatistics* b) {
      return a->lane().last_error().at_ms() > b->lane().last_error().at_ms();
    });
    if (failed.empty()) return;
    if (view_.rows == 0 || RowsLeft() > failed.size()) Add("");
    constexpr std::string_view kLabel = "last error  ";
    for (const v1::LaneStatistics* lane : failed) {
      const v1::LaneError& error = lane->lane().last_error();
      Add(fmt::format("{}{}, {}, {}: {}", lane == failed.front() ? kLabel : std::string(kLabel.size(), ' '),
                      lane->biller_id(), TimeFrom(now_.at_ms, error.at_ms()), error.operation(), error.cause()));
    }
  }

  const TopLook& before_;
  const TopLook& now_;
  const TopView& view_;
  const size_t columns_;
  const bool same_start_;
  const double seconds_;
  std::vector<TopLine> lines_;
};

}  // namespace

std::vector<TopLine> TopScreen(const TopLook& before, const TopLook& now, const TopView& view) {
  return Screen(before, now, view).Lines();
}

}  // namespace waystation::ctl
