-- hold: KEYS station, payment, journal; ARGV operator, biller, customer number, amount, time.
-- The payment's key has the station and the request id in it: it is the idempotency key too. Answers with the state.
local before = redis.call('HMGET', KEYS[2], 'state', 'biller', 'customer', 'amount')
if before[1] then
  if before[2] ~= ARGV[2] or before[3] ~= ARGV[3] or before[4] ~= ARGV[4] then
    return redis.error_reply('ALREADY_EXISTS the request id was used for another payment')
  end
  return before[1]
end
local station = redis.call('HMGET', KEYS[1], 'status', 'balance', 'credit_limit', 'reserved')
if not station[1] then return redis.error_reply('NOT_FOUND the station is not known') end
local amount = tonumber(ARGV[4])
local state = 'HELD'
local reserved = tonumber(station[4])
if station[1] ~= 'ACTIVE' or tonumber(station[2]) + tonumber(station[3]) - reserved < amount then
  state = 'DECLINED'
else
  reserved = redis.call('HINCRBY', KEYS[1], 'reserved', amount)
end
redis.call('HSET', KEYS[2], 'state', state, 'station', KEYS[1], 'operator', ARGV[1], 'biller', ARGV[2],
  'customer', ARGV[3], 'amount', ARGV[4])
redis.call('RPUSH', KEYS[3], table.concat({ARGV[5], KEYS[2], state, ARGV[4], station[2], reserved}, ' '))
return state
