-- slot: refuses a call while the cluster moves the slot of the store, before it has read or written anything.
--
-- Keys    two beside {p}:store that never exist
-- In      KEYS[1] names the store
-- Out     ERRAND_MOVING while keys may be on either of two servers
-- Cost    one command, on servers of a cluster only
-- Beware  a server that gives a slot away takes a missing key for one that is gone already, one that receives it
--         two missing keys for some still to come: that is how each betrays itself, and no other command tells

do
  local stays = redis.pcall('EXISTS', KEYS[1] .. '?1', KEYS[1] .. '?2')
  if type(stays) == 'table' then return redis.error_reply('ERRAND_MOVING the slot is being moved') end
end
