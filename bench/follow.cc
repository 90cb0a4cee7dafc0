#include "bench/follow.h"

#include <algorithm>
#include <chrono>

#include "bench/interruption.h"
#include "bench/traffic.h"
#include "fmt/format.h"
#include "grpcpp/client_context.h"
#include "waystation/v1/journal_service.grpc.pb.h"

namespace waystation::bench {
namespace {

double PerSecond(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

absl::StatusOr<FollowResult> Follow(const FollowOptions& options) {
  absl::StatusOr<Channels> channels = Connect(options.address, 1);
  if (!channels.ok()) return channels.status();
  v1::StreamJournalRequest request;
  request.set_from_sequence(options.from);
  request.set_until_end(options.seconds == 0);
  grpc::ClientContext context;
  if (options.seconds > 0) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::milliseconds>(
                                                                std::chrono::duration<double>(options.seconds)));
  }
  v1::JournalService::Stub stub(channels->front());
  const auto began = std::chrono::steady_clock::now();
  const auto reader = stub.Stream(&context, request);

  FollowResult result;
  uint64_t next = std::max<uint64_t>(options.from, 1);
  v1::StreamJournalResponse message;
  while (!Interrupted() && reader->Read(&message)) {
    for (const journal::v1::Block& block : message.blocks()) {
      for (const journal::v1::Leg& leg : block.legs()) {
        if (leg.sequence() != next) {
          context.TryCancel();
          reader->Finish();
          return absl::DataLossError(fmt::format("leg {} came; expected {}", leg.sequence(), next));
        }
        ++next;
        ++result.legs;
      }
    }
    ++result.messages;
    result.bytes += message.ByteSizeLong();
    result.behind = message.end_sequence() + 1 - std::min(next, message.end_sequence() + 1);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  if (Interrupted()) context.TryCancel();
  const grpc::Status status = reader->Finish();
  const bool time_up = options.seconds > 0 && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (status.ok() || time_up || Interrupted()) return result;
  return absl::UnavailableError(fmt::format("the stream ended with status {}: {}",
                                            static_cast<int>(status.error_code()), status.error_message()));
}

std::string FollowText(const FollowResult& result) {
  return fmt::format("{:.0f} legs/s: {} legs, {:.1f} MB in {} messages, {:.2f} s; {} legs behind at the last\n",
                     PerSecond(result.legs, result.seconds), result.legs, static_cast<double>(result.bytes) / 1e6,
                     result.messages, result.seconds, result.behind);
}

boost::json::object FollowJson(const FollowResult& result) {
  return {{"seconds", result.seconds},
          {"legs", result.legs},
          {"legs_per_second", PerSecond(result.legs, result.seconds)},
          {"messages", result.messages},
          {"bytes", result.bytes},
          {"behind", result.behind}};
}

}  // namespace waystation::bench
