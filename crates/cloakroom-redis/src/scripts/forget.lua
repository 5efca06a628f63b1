-- Forgets what is in the feed for longer than reasons are kept, or beyond its bound. KEYS[1] is it.
feed = KEYS[1]
local oldest = redis.call('XRANGE', feed, '-', '+', 'COUNT', FEED_PART)
local surplus = redis.call('XLEN', feed) - FEED_MAX
local gone = {}
for at, entry in ipairs(oldest) do
  if at > surplus and now < tonumber(entry[2][2]) + kept then
    break
  end
  gone[at] = entry
end
forget(gone)
return { 'done', #gone == FEED_PART and '1' or '0' }
