-- How sessions end. The first command of each ending frees memory, so that a full server still ends.
local function tomb_text(ended, mark)
  return table.concat({ 'T1 ', text(ended.at), ' ', ended.reason, ' ', mark, ' ', ended.by })
end

-- Remembers an ending, and forgets the oldest beyond the bound.
local function remember(p, digest, ended, mark)
  if ended.at + kept <= now then
    redis.call('DEL', p.base .. digest)
    redis.call('ZREM', p.ended, digest)
    return
  end
  local left = time_to_live(ended.at)
  redis.call('SET', p.base .. digest, tomb_text(ended, mark or '-'), 'PX', text(left))
  redis.call('ZADD', p.ended, text(ended.at + kept), digest)
  keep(p.ended, left)
  if redis.call('ZCARD', p.ended) > ENDED_MAX then
    local oldest = redis.call('ZPOPMIN', p.ended)
    redis.call('DEL', p.base .. oldest[1])
  end
end

-- The older keys of a session end with it. What ran out before tells so.
local function bury_older(p, s, ended)
  for digest in string.gmatch(s.older, '%S+') do
    local value = redis.call('GET', p.base .. digest)
    if value and string.sub(value, 1, 1) == 'F' then
      local forward = parse_forward(value)
      redis.call('ZREM', p.due, digest)
      if forward.till <= ended.at then
        remember(p, digest, { at = forward.till, reason = 'replaced', by = 'system' })
      else
        remember(p, digest, ended)
      end
    end
  end
end

local function bury(p, s, ended)
  redis.call('HDEL', p.ids, s.id)
  redis.call('ZREM', p.due, s.digest)
  bury_older(p, s, ended)
  remember(p, s.digest, ended)
end

-- The same for a session that still had time, which is news.
local function finish(p, s, ended)
  bury(p, s, ended)
  tell('ended', s.id, ended.reason)
end

-- A session that was parted with may no longer be taken back.
local function settle(p, digest, tomb)
  if tomb.mark ~= '-' then
    redis.call('SET', p.base .. digest, tomb_text(tomb, '-'), 'KEEPTTL')
  end
end

-- Who ends sessions, and why.
local function ending()
  local reason, by = argument(), argument()
  return { at = now, reason = reason, by = by }
end
