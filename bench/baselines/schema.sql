-- The books of the PostgreSQL baseline: what the switch does for a payment, as one would write it for a database.
-- psql -v stations=1000 -f schema.sql

CREATE TABLE stations (
  id bigint PRIMARY KEY,
  status text NOT NULL,
  balance bigint NOT NULL,
  credit_limit bigint NOT NULL DEFAULT 0,
  reserved bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station bigint NOT NULL,
  request_id text NOT NULL,
  operator_id text NOT NULL,
  biller_id text NOT NULL,
  customer_number text NOT NULL,
  amount bigint NOT NULL,
  state text NOT NULL,
  biller_reference text,
  UNIQUE (station, request_id)
) WITH (fillfactor = 80);

-- A row a leg. What the biller is owed follows from it, so that no row is shared by all payments.
CREATE TABLE journal (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  payment bigint NOT NULL,
  event text NOT NULL,
  amount bigint NOT NULL,
  balance_after bigint NOT NULL,
  reserved_after bigint NOT NULL
);

-- The payment's id; null: declined. A repeat gets the same.
CREATE FUNCTION hold(p_station bigint, p_request_id text, p_operator_id text, p_biller_id text, p_customer_number text,
                     p_amount bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint;
  v_balance bigint;
  v_reserved bigint;
  v_before payments;
BEGIN
  INSERT INTO payments (station, request_id, operator_id, biller_id, customer_number, amount, state)
  VALUES (p_station, p_request_id, p_operator_id, p_biller_id, p_customer_number, p_amount, 'HELD')
  ON CONFLICT (station, request_id) DO NOTHING RETURNING id INTO v_id;
  IF v_id IS NULL THEN
    SELECT * INTO v_before FROM payments WHERE station = p_station AND request_id = p_request_id;
    IF v_before.biller_id <> p_biller_id OR v_before.customer_number <> p_customer_number OR v_before.amount <> p_amount
    THEN
      RAISE EXCEPTION 'request_id % was used for another payment', p_request_id;
    END IF;
    RETURN CASE v_before.state WHEN 'DECLINED' THEN NULL ELSE v_before.id END;
  END IF;
  UPDATE stations SET reserved = reserved + p_amount
  WHERE id = p_station AND status = 'ACTIVE' AND balance + credit_limit - reserved >= p_amount
  RETURNING balance, reserved INTO v_balance, v_reserved;
  IF NOT FOUND THEN
    SELECT balance, reserved INTO v_balance, v_reserved FROM stations WHERE id = p_station;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'station % is not known', p_station;
    END IF;
    UPDATE payments SET state = 'DECLINED' WHERE id = v_id;
    INSERT INTO journal (payment, event, amount, balance_after, reserved_after)
    VALUES (v_id, 'DECLINED', p_amount, v_balance, v_reserved);
    RETURN NULL;
  END IF;
  INSERT INTO journal (payment, event, amount, balance_after, reserved_after)
  VALUES (v_id, 'HELD', p_amount, v_balance, v_reserved);
  RETURN v_id;
END $$;

CREATE FUNCTION capture(p_id bigint, p_biller_reference text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_station bigint;
  v_amount bigint;
  v_balance bigint;
  v_reserved bigint;
BEGIN
  UPDATE payments SET state = 'SUCCEEDED', biller_reference = p_biller_reference
  WHERE id = p_id AND state = 'HELD' RETURNING station, amount INTO v_station, v_amount;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'payment % is not held', p_id;
  END IF;
  UPDATE stations SET balance = balance - v_amount, reserved = reserved - v_amount WHERE id = v_station
  RETURNING balance, reserved INTO v_balance, v_reserved;
  INSERT INTO journal (payment, event, amount, balance_after, reserved_after)
  VALUES (p_id, 'CAPTURED', v_amount, v_balance, v_reserved);
END $$;

INSERT INTO stations (id, status, balance)
SELECT 990000000000 + n, 'ACTIVE', 1000000000000 FROM generate_series(1, :stations) AS n;
VACUUM ANALYZE stations;
CHECKPOINT;
