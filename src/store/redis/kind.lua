-- kind: stores once what many jobs share: name, queue and policy.
--
-- Keys    {p}:kinds hash of kind to content   {p}:queues set
-- In      ARGV[3] the kind, 8 bytes of a hash over its content; ARGV[4] content; ARGV[5] queue
-- Out     1, or 0 when another content has the same hash
-- Cost    three commands, once a definition and process
-- Beware  a server that lost its last second may have lost a kind: insert.lua looks, and the caller comes again

local known = redis.call('HGET', P .. 'kinds', ARGV[3])
if known and known ~= ARGV[4] then return 0 end
redis.call('HSET', P .. 'kinds', ARGV[3], ARGV[4])
redis.call('SADD', P .. 'queues', ARGV[5])
return 1
