namespace Postern.Proxy.Http;

/// <summary>
/// Where a filter chain finds its route table: fixed when the routes stand inline, else swapped by RDS with one reference write. A request
/// takes the table once. Owner of the writes: the configuration thread.
/// </summary>
internal sealed class RouteSlot
{
    private volatile RouteTable? table;

    /// <summary>An empty slot for a table that has yet to come.</summary>
    /// <param name="name">Of the table, for messages.</param>
    public RouteSlot(string name) => Name = name;

    /// <summary>A slot with an inline table.</summary>
    public RouteSlot(RouteTable table)
    {
        Name = "";
        this.table = table;
    }

    /// <summary><c>route_config_name</c>; empty for an inline table.</summary>
    public string Name { get; }

    /// <summary>The table in force, or null while none has arrived: 404.</summary>
    public RouteTable? Current
    {
        get => table;
        set => table = value;
    }
}
