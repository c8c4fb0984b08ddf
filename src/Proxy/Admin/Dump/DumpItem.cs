using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Postern.Proxy.Admin.Dump;

/// <summary>One thing in a dump.</summary>
/// <param name="Names">What <c>name_regex</c> looks at; one that fits is enough.</param>
/// <param name="WriteFields">Writes its fields into an object that is open.</param>
internal sealed record DumpItem(IReadOnlyList<string> Names, Action<Utf8JsonWriter> WriteFields);

/// <summary>A repeated field of a dump, like <c>dynamic_listeners</c>.</summary>
/// <param name="Field">Its name, which is also what <c>resource</c> takes.</param>
/// <param name="Type">Full name of its messages.</param>
/// <param name="Items">Made while they are written.</param>
internal sealed record DumpList(string Field, string Type, IEnumerable<DumpItem> Items);

/// <summary>One message of <c>/config_dump</c>.</summary>
/// <param name="Type">Its full name.</param>
/// <param name="Version"><c>version_info</c>, or empty.</param>
/// <param name="Lists">Its fields.</param>
internal sealed record DumpSection(string Type, string Version, IReadOnlyList<DumpList> Lists);
