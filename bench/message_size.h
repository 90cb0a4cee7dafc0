#pragma once

#include <cstddef>

#include "waystation/v1/payment_service.pb.h"

// The sizes that the echo's messages are given, taken from a real payment.
namespace waystation::bench {

// A mobile top-up as switchbench sends it, with a request id of the usual length.
v1::PayRequest TypicalPayRequest();

// What the switch answers to it: the payment as it succeeded, with its two state changes.
v1::PayResponse TypicalPayResponse();

// How many bytes a bytes field (field number below 16, less than 16 KiB) must hold so that the message around it is
// `message_bytes` long on the wire, or one byte shorter where there is no such length: the field's frame grows from 2
// bytes to 3 with a payload of 128. 0 where the message is no longer than the frame.
size_t PayloadFor(size_t message_bytes);

}  // namespace waystation::bench
