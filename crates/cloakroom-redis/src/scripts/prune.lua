-- Drops the entries of sessions that the server itself freed a while ago.
local function prune(p)
  local long_over = redis.call('ZRANGEBYSCORE', p.due, '-inf', text(now - kept), 'LIMIT', 0, 2)
  local orphaned = false
  for _, digest in ipairs(long_over) do
    if redis.call('EXISTS', p.base .. digest) == 0 then
      redis.call('ZREM', p.due, digest)
      orphaned = true
    end
  end
  if orphaned then
    each_session(p, function() return true end, function() end)
  end
end
