#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/memory_commit_log.h"
#include "tests/sim/back_office.h"
#include "tests/sim/biller.h"
#include "tests/sim/disk.h"
#include "tests/sim/doubles.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/oracle.h"
#include "tests/sim/random.h"
#include "tests/sim/report.h"
#include "tests/sim/stations.h"
#include "tests/sim/switch_process.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::sim {

// What a run came to.
struct Outcome {
  std::string broken;  // the first invariant that broke; empty: all held
  uint64_t steps = 0;
  uint64_t crashes = 0;
  uint64_t payments = 0;
  uint64_t answers = 0;
  uint64_t in_review = 0;
  uint64_t out_of_service = 0;  // declined for it
  uint64_t trace_hash = 0;
};

// Everything of one run, in one thread and with simulated time: the shipping switch, its disk, its billers, its
// stations and the people of its operator. All that is left to chance follows from the seed. First there is trouble
// of every kind; then it ends, time passes beyond all deadlines, and what is left must be right.
class World {
 public:
  // `trace`: where each step is written; null: nowhere. `fault`: what is planted.
  World(uint64_t seed, std::FILE* trace, std::optional<Fault> fault);
  ~World();

  Outcome Run();

 private:
  void AddBillers();
  void Begin();
  // Steps until the time has come, or nothing is left to happen. False: an invariant broke.
  bool RunUntil(core::SteadyTime time);
  // By then nothing may be waiting for a biller any more.
  core::SteadyTime PastDeadlines() const;
  void EndTrouble();
  void Step(std::optional<core::SteadyTime> alarm);
  void LetRun();
  bool CrashesNow();
  void StartSwitch();
  void EndSwitch(std::string_view why);
  void DropSwitch();
  void ResolveSome();
  Biller::Entry EntryOf(const core::Payment& payment) const;
  void CheckEnd();

  Random random_;
  storage::SimulatedClock clock_;
  EventQueue events_{&clock_};
  Report report_;
  Oracle oracle_{&report_};
  const Doubles doubles_;
  storage::MemoryCommitLog durable_;
  DiskProfile disk_profile_;
  flow::ResolverSchedule schedule_;
  size_t max_unresolved_ = 0;  // of one biller
  flow::BreakerPolicy breaker_;
  std::chrono::milliseconds snapshot_interval_;
  // A crash comes once in so many steps; 0: never.
  uint64_t crash_every_ = 0;
  std::chrono::milliseconds active_for_;

  std::vector<std::unique_ptr<Biller>> billers_;
  std::vector<core::StationId> stations_;
  Stations counters_;
  BackOffice office_;

  // --- one life of the switch ---
  Life life_{&events_};
  Disk* disk_ = nullptr;
  std::unique_ptr<Store> store_;
  std::vector<BillerLink*> links_;
  std::unique_ptr<SwitchProcess> process_;
  uint64_t ticked_at_ = 0;  // the last leg then

  uint64_t steps_ = 0;
  uint64_t crashes_ = 0;
};

}  // namespace waystation::sim
