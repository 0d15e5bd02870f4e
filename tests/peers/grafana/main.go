// Reads a dashboard from standard input, and says what Grafana does not know in it or misses: fields, panels, queries, units. Says nothing, and ends
// with 0, if it is as Grafana itself would write it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// The units that panels may have, under Grafana's names.
var known = map[string]bool{
	units.BytesIEC:          true,
	units.OpsPerSecond:      true,
	units.PercentUnit:       true,
	units.RequestsPerSecond: true,
	units.Seconds:           true,
	units.Short:             true,
}

func main() {
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(heatmap.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	if err := check(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(from io.Reader) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	var strictly, read dashboard.Dashboard
	if err := found(strictly.UnmarshalJSONStrict(text)); err != nil {
		return err
	}
	// Read once more: what was read strictly lacks its panels.
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	if err := found(read.Validate()); err != nil {
		return err
	}
	problems := checkFields(text)
	if current := dashboard.NewDashboard().SchemaVersion; read.SchemaVersion != current {
		problems = append(problems, fmt.Errorf("schemaVersion is %d, and Grafana's %d", read.SchemaVersion, current))
	}
	all := panels(read)
	if len(all) == 0 {
		problems = append(problems, errors.New("no panels"))
	}
	for _, panel := range all {
		problems = append(problems, checkPanel(panel)...)
	}
	return errors.Join(problems...)
}

// found is the error that there is: no errors are a list of them too.
func found(err error) error {
	var list cog.BuildErrors
	if errors.As(err, &list) && len(list) == 0 {
		return nil
	}
	return err
}

func panels(of dashboard.Dashboard) []dashboard.Panel {
	var all []dashboard.Panel
	for _, one := range of.Panels {
		if one.Panel != nil {
			all = append(all, *one.Panel)
		}
		if one.RowPanel != nil {
			all = append(all, one.RowPanel.Panels...)
		}
	}
	return all
}

// checkFields is strict about what the strict reading above is not: how the fields of panels are shown.
func checkFields(text []byte) []error {
	type panel struct {
		Title       string
		FieldConfig json.RawMessage
		Panels      []panel
	}
	var all panel
	if err := json.Unmarshal(text, &all); err != nil {
		return []error{err}
	}
	var problems []error
	for _, row := range all.Panels {
		for _, one := range append(row.Panels, row) {
			var fields dashboard.FieldConfigSource
			if err := found(fields.UnmarshalJSONStrict(one.FieldConfig)); err != nil {
				problems = append(problems, fmt.Errorf("panel %q: %w", one.Title, err))
			}
		}
	}
	return problems
}

func checkPanel(panel dashboard.Panel) []error {
	title := *panel.Title
	var problems []error
	problem := func(format string, values ...any) {
		problems = append(problems, fmt.Errorf("panel %q: "+format, append([]any{title}, values...)...))
	}
	if _, known := cog.NewRuntime().ConfigForPanelcfgVariant(panel.Type); !known {
		problem("type %s is not known", panel.Type)
	}
	for _, target := range panel.Targets {
		if kind := target.DataqueryType(); kind != "prometheus" {
			problem("a query is of type %s", kind)
		}
	}
	var unit *string
	if panel.FieldConfig != nil {
		unit = panel.FieldConfig.Defaults.Unit
	}
	if options, is := panel.Options.(*heatmap.Options); is {
		unit = options.YAxis.Unit
	}
	if unit == nil {
		problem("no unit")
	} else if !known[*unit] {
		problem("unit %s is not known", *unit)
	}
	return problems
}
