"""A water company to whom things happen, chosen by the last two digits of the customer number: for tests.

The scenario file of the conformance suite (water.scenario) names these endings.
"""

import grpc
from stubs import adapter
from water_company import WaterCompany


class FaultyWaterCompany(WaterCompany):
    def Pay(self, request, context):
        ending = request.customer_number[-2:]
        if ending == "81":
            return adapter.PayResponse(not_sent=adapter.NotSent(cause="the company refuses the connection"))
        if ending == "82":  # before it is entered
            return adapter.PayResponse(unknown=adapter.Unknown(cause="the company cut the connection"))
        if ending == "83":
            context.abort(grpc.StatusCode.UNAVAILABLE, "before it is entered")
        if ending == "84":
            self._be_silent(context)
            return adapter.PayResponse()
        answer = super().Pay(request, context)
        if ending == "91":
            return adapter.PayResponse(unknown=adapter.Unknown(cause="the company's answer can't be read"))
        if ending == "92":
            context.abort(grpc.StatusCode.UNAVAILABLE, "after it was entered")
        if ending == "93":
            return adapter.PayResponse()  # no outcome
        if ending == "94":
            return adapter.PayResponse(approved=adapter.Approved())  # no reference
        if ending == "95":
            self._be_silent(context)
            return adapter.PayResponse()
        if ending == "96":
            self._be_silent(context)
            self.books.tell_late(request.payment_id)
            return adapter.PayResponse()
        return answer

    def Cancel(self, request, context):
        if request.customer_number.endswith("97"):
            return adapter.CancelResponse(declined=adapter.Declined(biller_code="61", text="used up already"))
        return super().Cancel(request, context)

    def _be_silent(self, context):
        self.stopping.wait(max(0, context.time_remaining()))
