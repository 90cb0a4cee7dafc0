#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/arena.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/server_callback.h"
#include "switch/core/check.h"
#include "switch/rpc/call_tally.h"
#include "switch/rpc/parse_failure.h"
#include "switch/rpc/status.h"

namespace waystation::rpc {

// Parses a request by ourselves, since gRPC answers one that does not parse with INTERNAL and no word of the field.
template <typename Request>
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, Request* request) {
  grpc::ByteBuffer copy(bytes);  // shares the slices
  grpc::ProtoBufferReader reader(&copy);
  if (request->ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  std::vector<grpc::Slice> slices;
  std::string text;
  if (bytes.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return absl::InvalidArgumentError(DescribeParseFailure(*Request::descriptor(), text));
}

template <typename Message>
grpc::ByteBuffer Serialize(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status status = grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own);
  WS_CHECK(status.ok(), "a response does not serialize");
  return bytes;
}

// A message that lives in a block of its own, on the stack of whoever makes it: its parts and short texts cost no
// allocation each.
template <typename Message>
class StackMessage {
 public:
  StackMessage() : arena_(block_, sizeof(block_)), message_(google::protobuf::Arena::CreateMessage<Message>(&arena_)) {}
  StackMessage(const StackMessage&) = delete;
  StackMessage& operator=(const StackMessage&) = delete;

  Message& operator*() { return *message_; }
  Message* operator->() { return message_; }

 private:
  // Room for a usual payment; what does not fit is taken from the heap.
  alignas(8) char block_[3'072];
  google::protobuf::Arena arena_;
  Message* const message_;
};

// One unary call on its way to its answer. Copied freely; it is answered exactly once, on any thread.
class UnaryCall {
 public:
  // `tally`: where its answer is counted; outlives it.
  UnaryCall(grpc::CallbackServerContext* context, grpc::ByteBuffer* response, CallTally::Row* tally)
      : reactor_(context->DefaultReactor()), response_(response), tally_(tally), deadline_(context->deadline()) {}

  grpc::ServerUnaryReactor* reactor() const { return reactor_; }
  std::chrono::system_clock::time_point deadline() const { return deadline_; }

  template <typename Message>
  void Finish(const Message& message) const {
    *response_ = Serialize(message);
    tally_->Add(grpc::StatusCode::OK);
    reactor_->Finish(grpc::Status::OK);
  }
  void Fail(const absl::Status& status) const {
    tally_->Add(status.raw_code());
    reactor_->Finish(ToGrpc(status));
  }

  // The message, or why there is none.
  template <typename Message>
  void Answer(const absl::StatusOr<Message>& message) const {
    if (message.ok()) {
      Finish(*message);
    } else {
      Fail(message.status());
    }
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
  grpc::ByteBuffer* response_;
  CallTally::Row* tally_;
  std::chrono::system_clock::time_point deadline_;
};

}  // namespace waystation::rpc
