using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Postern.Tests.Structure;

/// <summary>
/// A room uses the rooms it may use, asked three ways: what the project declares, what the sources name, and what the compiled assembly
/// refers to (which also catches a reference that came in through another project).
/// </summary>
public sealed partial class RoomArrowTests
{
    [GeneratedRegex(@"<ProjectReference\s+Include=""([^""]+)""")]
    private static partial Regex ProjectReference { get; }

    [GeneratedRegex(@"\bPostern\.([A-Z]\w+)")]
    private static partial Regex RoomName { get; }

    public static TheoryData<string> AllRooms => Rooms.All;

    [Fact]
    public void FolderOfSrc_IsARoomWithArrows()
    {
        var folders = Repository.Sources().Select(file => file.Split('/')[1]).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(Rooms.MayUse.Keys.Order(StringComparer.Ordinal), folders);
    }

    [Theory]
    [MemberData(nameof(AllRooms))]
    public void Project_ReferencesAllowedRoomsOnly(string room)
    {
        var project = Repository.Read($"src/{room}/Postern.{room}.csproj");
        var used = ProjectReference.Matches(project).Select(match => match.Groups[1].Value.Split('/')[1]);
        Findings.None(used.Where(other => !Rooms.Allows(room, other)));
    }

    [Theory]
    [MemberData(nameof(AllRooms))]
    public void Source_NamesAllowedRoomsOnly(string room)
    {
        var bad = new List<string>();
        foreach (var file in Repository.Sources("src/" + room))
        {
            foreach (var (number, text) in Source.Code(file))
            {
                // Who may see internals is named by assembly, and a test project is no room.
                if (text.Contains("InternalsVisibleTo", StringComparison.Ordinal))
                {
                    continue;
                }
                bad.AddRange(RoomName.Matches(text).Where(match => !Rooms.Allows(room, match.Groups[1].Value)).Select(match => $"{file}:{number} {match.Value}"));
            }
        }
        Findings.None(bad);
    }

    [Theory]
    [MemberData(nameof(AllRooms))]
    public void Assembly_RefersToAllowedRoomsOnly(string room) =>
        Findings.None(References(room).Where(name => Rooms.OfAssembly(name) is { } other && !Rooms.Allows(room, other)));

    [Theory]
    [InlineData("Policy")]
    [InlineData("Filters")]
    public void PureRoom_RefersToNoSocketsFilesOrMessages(string room)
    {
        string[] forbidden = ["System.Net.Sockets", "System.Net.Http", "Google.Protobuf", "System.IO.FileSystem", "System.IO.Pipelines", "System.Diagnostics.Process", "Microsoft."];
        Findings.None(References(room).Where(name => forbidden.Any(part => name.StartsWith(part, StringComparison.Ordinal))));
    }

    private static List<string> References(string room)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, Rooms.AssemblyOf(room) + ".dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var names = metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)).ToList();
        Assert.NotEmpty(names);
        return names;
    }
}
