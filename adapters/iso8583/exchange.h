#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "adapters/iso8583/host_file.h"
#include "adapters/iso8583/mac.h"
#include "adapters/iso8583/message.h"
#include "adapters/iso8583/waiter.h"

namespace waystation::adapters::iso8583 {

// What one end of a link goes by; constant, and shared by all that works on the link.
struct LinkParts {
  std::string host;  // name or number
  uint16_t port = 0;
  HostFile file;
  std::unique_ptr<Mac> mac;  // null: without
  std::string terminal;      // element 41
  bool sign_on = true;
  size_t connections = 1;
  std::chrono::milliseconds connect_timeout{3'000};  // sign-on included
  std::chrono::milliseconds echo_interval{30'000};   // of silence; 0: no echo tests
  std::chrono::milliseconds echo_timeout{5'000};
  std::chrono::milliseconds stall_limit{5'000};  // of a message that stops in the middle
  std::chrono::milliseconds least_backoff{100};
  std::chrono::milliseconds most_backoff{30'000};

  std::string Address() const;
};

// By what an answer is matched to its request; the terminal is the same for all.
struct MatchKey {
  uint32_t mti = 0;  // of the answer: 210
  uint32_t processing_code = 0;
  uint32_t trace = 0;        // element 11, STAN
  uint64_t transmitted = 0;  // element 7, MMDDhhmmss

  bool operator==(const MatchKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const MatchKey& key) {
    return H::combine(std::move(h), key.mti, key.processing_code, key.trace, key.transmitted);
  }
};
// Of an answer, or of the answer that a request waits for.
MatchKey KeyOfAnswer(const Message& answer);
MatchKey KeyOfAnswerTo(const Message& request);

class Line;

// The requests that wait for their answers, whichever connection these come over, and those whose answer may still
// come.
//
// Threads: the link's. Limits: answers are looked out for kLateWindow after their request was given up, and for the
// last kMostLate of them.
class Exchange {
 public:
  using OnLate = std::function<void(const Message& answer)>;
  static constexpr std::chrono::minutes kLateWindow{30};
  static constexpr size_t kMostLate = 100'000;

  explicit Exchange(std::shared_ptr<const LinkParts> parts) : parts_(std::move(parts)) {}

  // `reference`: what the answer must say in the place of our reference, if it says anything there. `on_late`: what to
  // do with an answer that comes when nobody waits any more; may be empty. False: a request with this key waits
  // already.
  bool Expect(const MatchKey& key, const Line* line, std::shared_ptr<Waiter> waiter, std::string reference,
              OnLate on_late);
  // The request of `waiter` will never be sent; `key` may be another's by now.
  void NeverSent(const MatchKey& key, Waiter* waiter, const std::string& cause);
  // The caller has given up.
  void GiveUp(const MatchKey& key, const Waiter* waiter);
  // The connection has ended: what left over it may have had its effect.
  void LineEnded(const Line* line, const std::string& cause);
  // A message came. True: it answers a request of ours. `reply` gets, in its frame, what is to be sent back over the
  // same connection: the answer to a network request (0800) of the host's own.
  bool OnMessage(std::string_view bytes, std::string* reply);
  // Nothing waits any more, nothing is late any more.
  void Close();

 private:
  struct Expected {
    const Line* line = nullptr;
    std::shared_ptr<Waiter> waiter;
    std::string reference;
    OnLate on_late;
  };
  struct Late {
    std::string reference;
    OnLate on_late;
  };

  void LookOutFor(const MatchKey& key, Expected expected);
  void AnswerNetworkRequest(const Message& request, std::string* reply);
  bool Belongs(const Message& answer, const std::string& reference) const;
  void Alarm(const std::string& text) const;

  const std::shared_ptr<const LinkParts> parts_;
  absl::flat_hash_map<MatchKey, Expected> expected_;
  absl::flat_hash_map<MatchKey, Late> late_;
  std::deque<std::pair<std::chrono::steady_clock::time_point, MatchKey>> late_order_;
};

}  // namespace waystation::adapters::iso8583
