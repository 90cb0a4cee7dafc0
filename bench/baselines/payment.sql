-- One payment, for pgbench: two transactions, each durable before the next statement. Request ids count, as those of
-- the loads of the switch and of Redis do; pgbench is given `run`, the run's number, and `made` as 0, which each client
-- counts up for itself.
\set station 990000000000 + random(1, :stations)
\set made :made + 1
\set customer random(13000000000, 19999999999)
\set amount 1000 * random(2, 10)
SELECT hold(:station, 'b19ab3c4d5e6-' || :run || '-' || :client_id || '-' || :made, '9900000001', 'mobile',
            :customer::text, :amount) AS payment \gset
SELECT capture(:payment, 'M' || :payment);
