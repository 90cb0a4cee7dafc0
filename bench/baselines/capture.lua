-- capture: KEYS station, payment, journal; ARGV biller reference, time. Answers with the state.
local payment = redis.call('HMGET', KEYS[2], 'state', 'amount')
if payment[1] ~= 'HELD' then return redis.error_reply('FAILED_PRECONDITION the payment is not held') end
redis.call('HSET', KEYS[2], 'state', 'SUCCEEDED', 'reference', ARGV[1])
local balance = redis.call('HINCRBY', KEYS[1], 'balance', -tonumber(payment[2]))
local reserved = redis.call('HINCRBY', KEYS[1], 'reserved', -tonumber(payment[2]))
redis.call('RPUSH', KEYS[3], table.concat({ARGV[2], KEYS[2], 'CAPTURED', payment[2], balance, reserved}, ' '))
return 'SUCCEEDED'
