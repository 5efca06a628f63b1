-- Writes into the feed of a cluster what is about to happen. KEYS[1] is the feed.
feed = KEYS[1]
-- A server without memory takes what comes after a deletion.
redis.call('XDEL', feed, '0-0')
for _ = 1, tonumber(argument()) do
  local kind, who, reason = argument(), argument(), argument()
  tell(kind, who, reason ~= '' and reason)
end
return { 'done' }
