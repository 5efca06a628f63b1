-- The feed: a stream of what ended and whose rights changed. On one server it is written by the script
-- that does it. In a cluster it is in another slot and `feed` is empty: there the caller writes it,
-- before the script runs.
--
-- A stream keeps the id of its last entry and of the last one that was deleted, so that a reader can be
-- told whether it missed something: entries are deleted by name and never trimmed. A stream that is new
-- begins with an entry that is gone, since a reader of one that was lost comes with a place before it.
local function begin_feed()
  redis.call('XDEL', feed, redis.call('XADD', feed, '*', 'at', '0'))
end

local function forget(entries)
  local ids = {}
  for at, entry in ipairs(entries) do
    ids[at] = entry[1]
  end
  if #ids > 0 then
    redis.call('XDEL', feed, unpack(ids))
  end
end

local function tell(kind, who, reason)
  if feed == '' then
    return
  end
  local entry = { 'at', text(now), kind, who }
  if reason then
    entry[5], entry[6] = 'reason', reason
  end
  if not redis.call('XADD', feed, 'NOMKSTREAM', '*', unpack(entry)) then
    begin_feed()
    redis.call('XADD', feed, '*', unpack(entry))
  end
  if redis.call('XLEN', feed) > FEED_MAX + FEED_PART then
    forget(redis.call('XRANGE', feed, '-', '+', 'COUNT', FEED_PART))
  end
end
