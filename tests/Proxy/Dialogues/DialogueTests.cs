using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Dialogues;

/// <summary>Plays every *.dialogue file, with deliveries as the client sends them and again with one byte per read.</summary>
public sealed class DialogueTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Dialogues");

    public static TheoryData<string> All()
    {
        var data = new TheoryData<string>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*.dialogue", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            data.Add(Path.GetRelativePath(Folder, file));
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(All))]
    public Task SentAsWritten_GoesAsTheFileSays(string file) => PlayAsync(Dialogue.Read(Path.Combine(Folder, file)), int.MaxValue);

    [Theory]
    [MemberData(nameof(All))]
    public async Task SentByteByByte_GoesAsTheFileSays(string file)
    {
        var dialogue = Dialogue.Read(Path.Combine(Folder, file));
        if (!dialogue.WholeOnly)
        {
            await PlayAsync(dialogue, 1);
        }
    }

    [Fact]
    public void Folder_HoldsDialogues() => Assert.True(All().Count > 100, "the dialogue files were not copied beside the tests");

    private async Task PlayAsync(Dialogue dialogue, int maxRead)
    {
        using var conversation = new Conversation(fixture, dialogue.Options with { MaxRead = maxRead });
        await new DialogueRunner(dialogue, conversation).RunAsync();
        Assert.DoesNotContain(fixture.Errors, error => error.Contains($"\"{conversation.Id}\"", StringComparison.Ordinal) || error.Contains($"{conversation.Id}:", StringComparison.Ordinal));
    }
}
