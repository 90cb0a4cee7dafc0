#include "switch/rpc/journal_service.h"

#include "switch/rpc/refused_stream.h"
#include "switch/rpc/unary_call.h"
#include "waystation/v1/journal_service.grpc.pb.h"

namespace waystation::rpc {
namespace {

class JournalService final : public v1::JournalService::WithRawCallbackMethod_Stream<v1::JournalService::Service> {
 public:
  explicit JournalService(const Backend& backend) : backend_(backend) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Stream(grpc::CallbackServerContext*,
                                                     const grpc::ByteBuffer* bytes) override {
    v1::StreamJournalRequest request;
    absl::Status status = ParseRequest(*bytes, &request);
    backend_.calls->Of(Method::kStreamJournal)->Add(status.raw_code());
    if (!status.ok()) return new RefusedStream(ToGrpc(status));
    return backend_.feed->Open(request.from_sequence(), request.until_end());
  }

 private:
  const Backend& backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeJournalService(const Backend& backend) {
  return std::make_unique<JournalService>(backend);
}

}  // namespace waystation::rpc
