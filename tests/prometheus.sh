#!/bin/sh
# Starts Debian's Prometheus and Alertmanager in directory $1, which has prometheus.yml and alertmanager.yml, on ports $2
# and $3 of this machine, until it is ended itself.
set -eu
cd "$1"
prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb --web.listen-address="127.0.0.1:$2" \
    >prometheus.log 2>&1 &
prometheus=$!
prometheus-alertmanager --config.file=alertmanager.yml --storage.path=state --web.listen-address="127.0.0.1:$3" \
    --cluster.listen-address= >alertmanager.log 2>&1 &
alertmanager=$!
trap 'kill $prometheus $alertmanager 2>/dev/null; exit 0' TERM INT EXIT
wait
