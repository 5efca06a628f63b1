#!/bin/sh
# Three shops behind nginx over one Redis. `start` and `stop` are for all of it, `run` and `kill`
# for one shop by its number or for `redis`, and `restart` puts a new shop in the place of each, one
# after the other.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dir=${CLUSTER_DIR:-$here/../../target/cluster}
shop=${CLUSTER_SHOP:-$here/../../target/release/shop}
# nginx, Redis, and the shops.
ports=${CLUSTER_PORTS:-8080 6390 8081 8082 8083}

port() { echo "$ports" | cut -d ' ' -f "$1"; }
front=$(port 1) redis=$(port 2)
PATH=$PATH:/usr/sbin

# Tries a command ten times a second, for ten seconds.
wait_until() {
  tries=100
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "waited in vain for: $*" >&2; exit 1; }
    sleep 0.1
  done
}
runs() { kill -0 "$(cat "$dir/$1.pid")"; }
ended() { ! runs "$1"; }

# The settings that docs/operate asks for: every write is in the file before it is answered, and
# no session makes room for another.
start_redis() {
  redis-server --bind 127.0.0.1 --port "$redis" --daemonize yes --dir "$dir" \
    --pidfile "$dir/redis.pid" --logfile redis.log --save "" \
    --appendonly yes --appendfsync everysec --maxmemory-policy noeviction >/dev/null
  wait_until redis-cli -h 127.0.0.1 -p "$redis" ping
}

run() {
  if [ "$1" = redis ]; then start_redis; return; fi
  "$shop" --addr "127.0.0.1:$(port $(($1 + 2)))" --store "redis://127.0.0.1:$redis" \
    --accounts "$dir/accounts" >"$dir/shop-$1.log" 2>&1 </dev/null &
  echo $! >"$dir/shop-$1.pid"
  wait_until grep -q "listening on" "$dir/shop-$1.log"
}

# nginx.conf with our ports, and with shop $1 taken out if there is one.
configure() {
  sed -e "s/:8080;/:$front;/" -e "s/:8081 /:$(port 3) /" -e "s/:8082 /:$(port 4) /" \
    -e "s/:8083 /:$(port 5) /" "$here/nginx.conf" >"$dir/nginx.new"
  if [ -n "${1:-}" ]; then
    sed -i "s/:$(port $(($1 + 2))) max_fails=0/& down/" "$dir/nginx.new"
  fi
  mv "$dir/nginx.new" "$dir/nginx.conf"
}

# The old worker of nginx answers what it has begun, and then it is gone.
exited() { grep -c "worker process .* exited" "$dir/error.log" || true; }
reload() {
  before=$(exited)
  kill -HUP "$(cat "$dir/nginx.pid")"
  wait_until sh -c "[ \$(grep -c 'worker process .* exited' '$dir/error.log') -gt $before ]"
}

start() {
  mkdir -p "$dir"
  start_redis
  for n in 1 2 3; do run $n; done
  configure
  : >"$dir/error.log"
  nginx -e stderr -p "$dir" -c nginx.conf
  echo "http://localhost:$front/"
}

restart() {
  for n in 1 2 3; do
    configure $n
    reload
    kill -TERM "$(cat "$dir/shop-$n.pid")"
    wait_until ended "shop-$n"
    run $n
    configure
    reload
  done
}

stop() {
  for one in nginx shop-1 shop-2 shop-3 redis; do
    if [ -f "$dir/$one.pid" ] && runs $one 2>/dev/null; then
      kill -TERM "$(cat "$dir/$one.pid")"
      wait_until ended $one
    fi
  done
}

case ${1:-} in
  start | stop | restart) "$1" ;;
  run) run "$2" ;;
  kill)
    one=$2
    [ "$one" = redis ] || one=shop-$one
    kill -KILL "$(cat "$dir/$one.pid")"
    wait_until ended "$one"
    ;;
  *) echo "usage: cluster.sh start | stop | restart | run N|redis | kill N|redis" >&2; exit 2 ;;
esac
