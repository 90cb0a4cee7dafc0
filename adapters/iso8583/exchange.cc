#include "adapters/iso8583/exchange.h"

#include <charconv>
#include <vector>

#include "adapters/alarm.h"
#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/frame.h"
#include "fmt/format.h"

namespace waystation::adapters::iso8583 {
namespace {

// 0210 answers 0200, 0430 answers 0420 and 0421.
constexpr uint32_t kToAnswer = 10;
constexpr std::string_view kNetworkRequest = "0800";
constexpr std::string_view kNetworkAnswer = "0810";

uint64_t NumberIn(std::string_view digits) {
  uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

MatchKey KeyOf(const Message& message, uint32_t mti) {
  return {.mti = mti,
          .processing_code = static_cast<uint32_t>(NumberIn(message.Get(3))),
          .trace = static_cast<uint32_t>(NumberIn(message.Get(11))),
          .transmitted = NumberIn(message.Get(7))};
}

Reply Failed(Reply::Kind kind, std::string cause) {
  Reply reply;
  reply.kind = kind;
  reply.cause = std::move(cause);
  return reply;
}

}  // namespace

std::string LinkParts::Address() const {
  return fmt::format("{}:{}", host, port);
}

MatchKey KeyOfAnswer(const Message& answer) {
  return KeyOf(answer, static_cast<uint32_t>(NumberIn(answer.mti())));
}

MatchKey KeyOfAnswerTo(const Message& request) {
  const auto mti = static_cast<uint32_t>(NumberIn(request.mti()));
  return KeyOf(request, mti / 10 * 10 + kToAnswer);
}

bool Exchange::Expect(const MatchKey& key, const Line* line, std::shared_ptr<Waiter> waiter, std::string reference,
                      OnLate on_late) {
  return expected_.try_emplace(key, Expected{line, std::move(waiter), std::move(reference), std::move(on_late)}).second;
}

void Exchange::NeverSent(const MatchKey& key, Waiter* waiter, const std::string& cause) {
  waiter->Finish(Failed(Reply::Kind::kNotSent, cause));
  const auto found = expected_.find(key);
  if (found != expected_.end() && found->second.waiter.get() == waiter) expected_.erase(found);
}

void Exchange::GiveUp(const MatchKey& key, const Waiter* waiter) {
  const auto found = expected_.find(key);
  if (found == expected_.end() || found->second.waiter.get() != waiter) return;
  if (found->second.waiter->has_left()) LookOutFor(key, std::move(found->second));
  expected_.erase(key);
}

void Exchange::LineEnded(const Line* line, const std::string& cause) {
  std::vector<MatchKey> ended;
  for (const auto& [key, expected] : expected_) {
    if (expected.line == line && expected.waiter->has_left()) ended.push_back(key);
  }
  for (const MatchKey& key : ended) {
    Expected expected = std::move(expected_.at(key));
    expected_.erase(key);
    expected.waiter->Finish(Failed(Reply::Kind::kUnknown, cause));
    LookOutFor(key, std::move(expected));
  }
}

bool Exchange::OnMessage(std::string_view bytes, std::string* reply) {
  Message answer;
  const Specification& specification = parts_->file.specification;
  if (absl::Status status = Unpack(specification, bytes, &answer); !status.ok()) {
    Alarm(fmt::format("a message that cannot be read: {}", std::string(status.message())));
    return false;
  }
  const bool authentic = !parts_->mac || MacIsRight(specification, *parts_->mac, bytes, answer);
  const MatchKey key = KeyOfAnswer(answer);
  if (!authentic) {
    Alarm(
        fmt::format("a message {} with a wrong MAC (element {}): trace number {}, transmitted {}; is the key the "
                    "host's, and is nobody between us?",
                    answer.mti(), MacField(answer), answer.Get(11), answer.Get(7)));
  }
  if (answer.mti() == kNetworkRequest) {
    if (authentic) AnswerNetworkRequest(answer, reply);
    return false;
  }
  if (const auto found = expected_.find(key); found != expected_.end() && Belongs(answer, found->second.reference)) {
    Expected expected = std::move(found->second);
    expected_.erase(found);
    Reply settled = authentic ? Failed(Reply::Kind::kAnswered, "") : Failed(Reply::Kind::kUnknown, "its MAC is wrong");
    if (authentic) settled.message = std::move(answer);
    const bool taken = expected.waiter->Finish(settled);
    if (!authentic) {
      LookOutFor(key, std::move(expected));
    } else if (!taken && expected.on_late) {
      // The caller gave up a moment ago, and his word of it is still on its way.
      expected.on_late(settled.message);
    }
    return authentic;
  }
  const auto found = late_.find(key);
  if (found == late_.end() || !authentic || !Belongs(answer, found->second.reference)) return false;
  const OnLate on_late = std::move(found->second.on_late);
  late_.erase(found);
  on_late(answer);
  return true;
}

void Exchange::AnswerNetworkRequest(const Message& request, std::string* reply) {
  Message answer;
  answer.set_mti(kNetworkAnswer);
  for (const int echoed : {7, 11, 12, 13, 41, 70}) {
    if (request.Has(echoed)) answer.Set(echoed, request.Get(echoed));
  }
  answer.Set(39, "00");
  const size_t before = reply->size();
  if (absl::Status status = PackFrame(parts_->file.specification, parts_->mac.get(), &answer, reply); !status.ok()) {
    reply->resize(before);
    Alarm(fmt::format("the answer to a network request of the host's: {}", std::string(status.message())));
  }
}

void Exchange::Close() {
  for (auto& [key, expected] : expected_) {
    const Reply::Kind kind = expected.waiter->has_left() ? Reply::Kind::kUnknown : Reply::Kind::kNotSent;
    expected.waiter->Finish(Failed(kind, "the link is being closed"));
  }
  expected_.clear();
  late_.clear();
  late_order_.clear();
}

void Exchange::LookOutFor(const MatchKey& key, Expected expected) {
  if (!expected.on_late) return;
  const auto now = std::chrono::steady_clock::now();
  while (!late_order_.empty() && (late_order_.size() >= kMostLate || late_order_.front().first < now - kLateWindow)) {
    late_.erase(late_order_.front().second);
    late_order_.pop_front();
  }
  late_[key] = Late{std::move(expected.reference), std::move(expected.on_late)};
  late_order_.emplace_back(now, key);
}

bool Exchange::Belongs(const Message& answer, const std::string& reference) const {
  if (answer.Has(41) && answer.Get(41) != parts_->terminal) return false;
  const std::string_view said = parts_->file.dialect.Read(answer, parts_->file.dialect.our_reference);
  if (said.empty() || reference.empty() || said == reference) return true;
  Alarm(fmt::format("an answer about payment {} has the trace number of payment {}", said, reference));
  return false;
}

void Exchange::Alarm(const std::string& text) const {
  RaiseAlarm(parts_->Address(), text);
}

}  // namespace waystation::adapters::iso8583
