-- One payment, for pgbench: two transactions, each durable before the next statement.
\set station 990000000000 + random(1, :stations)
\set number random(1, 9000000000000000000)
\set customer random(13000000000, 19999999999)
\set amount 1000 * random(2, 10)
SELECT hold(:station, 'b19ab3c4d5e6-' || :number, '9900000001', 'mobile', :customer::text, :amount) AS payment \gset
SELECT capture(:payment, 'M' || :payment);
