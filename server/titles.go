package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/labelstudio/signin"
)

// titlePatience is how long Label Studio may take to name its projects.
const titlePatience = 30 * time.Second

// pinTitles asks Label Studio, as its owner, which projects the titles in the
// configuration mean. Without an answer nothing starts: a grant that holds
// nowhere would look like a mistake of the person's.
func (s *Server) pinTitles(ctx context.Context, c *config.Config, o Options) error {
	if len(c.Titles) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, titlePatience)
	defer cancel()
	toApp, err := appHTTP(c)
	if err != nil {
		return err
	}
	accounts := &signin.Accounts{Base: c.LabelStudio.URL, HTTP: toApp, Owner: c.LabelStudio.OwnerID, Rand: o.Rand, Log: o.Log}
	if err := credential(accounts, c, o); err != nil {
		return err
	}
	bearer, err := accounts.Bearer(ctx, c.LabelStudio.OwnerID)
	if err != nil {
		return fmt.Errorf("looking up project_titles: %w", err)
	}
	app, err := appClient(c, o, s.metrics)
	if err != nil {
		return err
	}
	numbers, err := app.Titled(ctx, client.Asker{Session: "start", Credential: strconv.FormatInt(c.LabelStudio.OwnerID, 10), Authorization: bearer}, c.Titles)
	if err != nil {
		return fmt.Errorf("looking up project_titles in Label Studio (it must run when Rolepass starts; numbers under projects need no looking up): %w", err)
	}
	for title, number := range numbers {
		o.Log.Info("a project's title is pinned", "title", title, "project", number)
	}
	return c.Pin(numbers)
}
