//go:build tools

// Package nsq pins the three programs of NSQ that the exchange is tested and deployed with.
package nsq

import (
	_ "github.com/nsqio/nsq/apps/nsqadmin"
	_ "github.com/nsqio/nsq/apps/nsqd"
	_ "github.com/nsqio/nsq/apps/nsqlookupd"
)
