#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "storage/sequencer.h"
#include "switch/flow/worker.h"

namespace waystation::rpc {

// Carries the journal to those who follow it, each at its own pace.
//
// Operation: a follower has a place in the journal and at most one message under way. When that is written, the next is
// read from the commit log, as far as the sequencer says that it is durable. Who has read all is woken by an alarm
// that looks at the journal's end every kFeedInterval: followers cost the sequencer nothing, however many there are.
//
// Threads: Open and Drain from any. All else happens on `worker`, which does nothing but this, so that somebody who
// reads the whole journal holds up no lookup and no payment.
//
// Limits: kMaxFollowers, and kFeedMessageBytes for each; what a follower does not read stays on disk.
class JournalFeed {
 public:
  // All outlive the feed; the worker has stopped when the feed is destroyed.
  JournalFeed(const storage::Sequencer* sequencer, const storage::CommitLog* log, flow::Worker* worker);
  ~JournalFeed();

  // Starts a stream of v1.StreamJournalResponse from leg `from_sequence` on; with `until_end` up to the leg that is the
  // last durable one now. The stream owns itself.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Open(uint64_t from_sequence, bool until_end);

  // Ends all streams with UNAVAILABLE, each after the message under way, and refuses new ones.
  void Drain();

 private:
  class Stream;

  void Add(std::shared_ptr<Stream> stream);
  void Remove(const Stream* stream);
  void OnAlarm();

  const storage::Sequencer* const sequencer_;
  const storage::CommitLog* const log_;
  flow::Worker* const worker_;

  // The worker's.
  std::vector<std::shared_ptr<Stream>> streams_;
  flow::Alarm alarm_;
  bool draining_ = false;
};

}  // namespace waystation::rpc
