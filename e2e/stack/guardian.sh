# Ends process groups when the process that started them is gone: it holds the
# other end of our input. Told "watch GROUP" and "forget GROUP", one a line.
trap '' HUP INT TERM
groups=
while read -r word group; do
	case $word in
	watch) groups="$groups $group" ;;
	forget)
		left=
		for each in $groups; do
			[ "$each" = "$group" ] || left="$left $each"
		done
		groups=$left
		;;
	esac
done
for each in $groups; do kill -s TERM -- "-$each"; done
tries=0
while [ $tries -lt 50 ]; do
	left=
	for each in $groups; do
		kill -s 0 -- "-$each" && left="$left $each"
	done
	groups=$left
	[ -n "$groups" ] || exit 0
	sleep 0.1
	tries=$((tries + 1))
done
for each in $groups; do kill -s KILL -- "-$each"; done
